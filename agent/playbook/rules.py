"""The rules of a playbook as a model writes them, and the same words in another order."""

import re
from collections.abc import Sequence

import numpy as np

_ITEM = re.compile(r"\s*(?:[-•]|\*(?!\*)|\d{1,3}[.):](?=\s))\s*(\S.*)")
_STRESSED = re.compile(r"\*+([^\s*][^*]*)\*+")


def bullets_in(text: str, most: int) -> list[str]:
    """Return the items of a list that a model wrote, one a line, each once, without numbers and dashes.

    >>> bullets_in("Here it is:\\n- Look first.\\n* Look first.\\n2. Then go.", 8)
    ['Look first.', 'Then go.']
    >>> bullets_in("1. 3 eggs come first\\n2: then flour", 8)
    ['3 eggs come first', 'then flour']
    >>> bullets_in("- **Look** first.\\n3.5 kg of flour\\n- *Always* ask.", 8)
    ['Look first.', 'Always ask.']
    """
    said = (_ITEM.match(line) for line in text.splitlines())
    bare = (" ".join(_STRESSED.sub(r"\1", one[1]).split()) for one in said if one)
    return list(dict.fromkeys(filter(None, bare)))[:most]


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
