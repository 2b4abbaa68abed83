"""Options that are named by their numbers: the question, and scores read off the number's log-probabilities."""

import math
from collections.abc import Mapping, Sequence

from pydantic import BaseModel, Field, create_model


def numbered(prompt: str, options: Sequence[str]) -> tuple[str, type[BaseModel]]:
    """Return the question which of the options goes on a prompt, and the form of its answer."""
    listed = "\n".join(f"{i}. {option.strip()}" for i, option in enumerate(options, start=1))
    form = create_model(
        "Choice", number=(int, Field(ge=1, le=len(options), description="number of the option"))
    )
    asked = f"{prompt.strip()}\n\nWhich of these comes next?\n{listed}\nName it by its number."
    return asked, form


def number_scores(top: Sequence[Mapping[str, float]], count: int) -> dict[int, float]:
    """Return log-probabilities of the numbers 1 to `count`, in nats; those that no likely token begins are out.

    The number is the last run of tokens that are digits. Where several numbers begin with the same token,
    those that go on from the written one are told apart by its next token; others share their beginning.

    Args:
        top: Per token: the likeliest tokens, the written one first (see `Reply.top`).
        count: How many options there are.

    >>> found = number_scores([{'{"number": ': -0.1}, {"2": -0.5, "1": -1.0, "7": -9.0}, {"}": 0.0}], 3)
    >>> found
    {2: -0.5, 1: -1.0}
    """
    written = [next(iter(likely), "") for likely in top]
    last = max((i for i, token in enumerate(written) if token.strip().isdigit()), default=-1)
    first = last
    while (
        first > 0
        and written[first - 1].strip().isdigit()
        and written[first] == written[first].strip()
    ):
        first -= 1
    if first < 0:
        return {}
    begin = written[first].strip()
    after = top[first + 1] if first + 1 < len(top) else {}
    likely: dict[str, float] = {}
    for token, log in top[first].items():
        likely[token.strip()] = max(likely.get(token.strip(), -math.inf), log)
    whole = any(len(digits) > 1 and digits.isdigit() for digits in likely)  # a token holds a number
    found: dict[int, float] = {}
    for digits, log in likely.items():
        if not digits.isdigit():
            continue
        fitting = [n for n in range(1, count + 1) if str(n).startswith(digits)]
        for n in fitting:
            if whole or len(fitting) == 1:
                share = 0.0 if str(n) == digits or len(fitting) == 1 else -math.inf
            elif digits == begin and after:
                share = _next(after, str(n)[len(digits) :])
            else:
                share = -math.log(len(fitting))
            if share > -math.inf:
                found[n] = max(found.get(n, -math.inf), log + share)
    return found


def _next(likely: Mapping[str, float], rest: str) -> float:
    """Return log p that a number goes on with `rest`; empty: that it ends."""
    found = -math.inf
    for token, log in likely.items():
        fits = (
            not token[:1].isdigit()
            if not rest
            else bool(token) and token.strip() == rest[: len(token)]
        )
        if fits:
            found = max(found, log)
    return found
