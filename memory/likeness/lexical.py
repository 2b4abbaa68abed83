"""BM25 over short texts (Robertson and Zaragoza 2009): the lexical half of hybrid retrieval.

Grows with the memory; a text is found by rare words that an embedding blurs (names, file names, numbers).
"""

import math
from collections import Counter, defaultdict
from collections.abc import Callable

from .words import terms

K1 = 1.2
B = 0.75


class BM25:
    """Texts by id.

    >>> index = BM25()
    >>> index.add("a", "sort the report by date")
    >>> index.add("b", "buy shares of Omega")
    >>> list(index.scores("shares of Omega now"))
    ['b']
    """

    def __init__(self) -> None:
        self._posted: defaultdict[str, dict[str, int]] = defaultdict(dict)
        self._length: dict[str, int] = {}
        self._total = 0

    def __len__(self) -> int:
        """Return how many texts it holds."""
        return len(self._length)

    def __contains__(self, name: str) -> bool:
        """Return whether it holds a text of this id."""
        return name in self._length

    def add(self, name: str, text: str) -> None:
        """Add a text, once."""
        if name in self._length:
            return
        said = terms(text)
        self._length[name] = len(said)
        self._total += len(said)
        for word, count in Counter(said).items():
            self._posted[word][name] = count

    def scores(self, query: str, keep: Callable[[str], bool] = lambda _: True) -> dict[str, float]:
        """Return the BM25 score of every text that shares a word with the query, best first.

        Args:
            query: What is asked.
            keep: Says of an id whether it may be in the answer.
        """
        found: defaultdict[str, float] = defaultdict(float)
        n = len(self._length)
        mean = self._total / n if n else 1.0
        for word in dict.fromkeys(terms(query)):
            posted = self._posted.get(word)
            if not posted:
                continue
            rare = self._rarity(word)
            for name, count in posted.items():
                long = 1 - B + B * self._length[name] / mean
                found[name] += rare * count * (K1 + 1) / (count + K1 * long)
        kept = ((name, score) for name, score in found.items() if keep(name))
        return dict(sorted(kept, key=lambda x: (-x[1], x[0])))

    def bound(self, query: str) -> float:
        """Return what no text's score can exceed: that of one which says every word of the query for ever.

        A score over it tells how much of the query a text covers, whatever the other texts say.
        """
        return sum(self._rarity(word) for word in dict.fromkeys(terms(query))) * (K1 + 1)

    def _rarity(self, word: str) -> float:
        n, posted = len(self._length), len(self._posted.get(word, ()))
        return math.log(1 + (n - posted + 0.5) / (posted + 0.5))
