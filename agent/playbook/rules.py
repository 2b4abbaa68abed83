"""The rules of a playbook as a model writes them, and the same words in another order."""

from collections.abc import Sequence

import numpy as np

_MARKS = "-*•"


def bullets_in(text: str, most: int) -> list[str]:
    """Return the rules that a model wrote, one a line, each once.

    >>> bullets_in("Here it is:\\n- Look first.\\n* Look first.\\n2. Then go.", 8)
    ['Look first.', 'Then go.']
    """
    found = []
    for line in text.splitlines():
        bare = line.strip()
        first = bare.split(" ")[0]
        if first and (first[0] in _MARKS or first.rstrip(".)").isdigit()):
            said = " ".join(bare.lstrip("-*•0123456789.) ").split())
            if said:
                found.append(said)
    return list(dict.fromkeys(found))[:most]


def shuffled(bullets: Sequence[str], rng: np.random.Generator) -> list[str]:
    """Return as many bullets of the same words in another order: the placebo of a playbook."""
    words = [word for bullet in bullets for word in bullet.split()]
    mixed = [words[int(i)] for i in rng.permutation(len(words))]
    made, at = [], 0
    for bullet in bullets:
        size = len(bullet.split())
        made.append(" ".join(mixed[at : at + size]))
        at += size
    return made
