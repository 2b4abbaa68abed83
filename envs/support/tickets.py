"""The 120 tickets and the shop that they are about, made by a fixed seed: the same in every process.

Each ticket has a customer of its own with two or three orders, so that only the right arguments help.
"""

import random
from collections.abc import Mapping, Sequence
from functools import lru_cache
from typing import NamedTuple

from ..types import Split
from .rules import APPROVAL_ABOVE, RULES, Ticket
from .shop import Article, Order, Status, fill
from .wordings import (
    ARTICLES,
    CITIES,
    CLOSERS,
    FIRMS,
    FIRST_NAMES,
    LAST_NAMES,
    NUMBERED,
    OPENERS,
    STREETS,
    WISHES,
)

SEED = 4711
FOLDS: tuple[tuple[Split, int], ...] = (("train", 10), ("dev", 5), ("test", 5))
"""Tickets of each family, fold by fold."""
PER_FAMILY = sum(count for _, count in FOLDS)


class World(NamedTuple):
    """All tickets, and the database before any of them was worked on."""

    tickets: Mapping[str, Ticket]
    """By id, family by family."""
    image: bytes


def tickets() -> Mapping[str, Ticket]:
    """Return all tickets by their ids."""
    return _world().tickets


def shop_image() -> bytes:
    """Return the shop's database before any ticket."""
    return _world().image


@lru_cache
def _world() -> World:
    rng = random.Random(SEED)
    people = [f"{first} {last}" for first in FIRST_NAMES for last in LAST_NAMES]
    people = rng.sample(people, PER_FAMILY * (len(RULES) - 1))
    firms = rng.sample(FIRMS, PER_FAMILY)
    numbers = iter(rng.sample(range(10_000, 60_000), 3 * PER_FAMILY * len(RULES)))
    made: dict[str, Ticket] = {}
    contracts: dict[str, bool] = {}
    orders: list[Order] = []
    for family in sorted(RULES):
        wishes = _shuffled(rng, WISHES[family])
        for n in range(PER_FAMILY):
            customer = firms.pop() if family == "contract" else people.pop()
            contracts[customer] = family == "contract"
            bought = _bought(rng, family, n)
            order = _order(rng, next(numbers), customer, bought, *_state(rng, family, n))
            ticket = _ticket(rng, family, n, order, bought[0], wishes[n])
            made[ticket.id] = ticket
            rest = [article for article in ARTICLES if article not in bought]
            orders.append(order)
            for _ in range(rng.randint(1, 2)):
                other = [rest.pop(rng.randrange(len(rest))) for _ in range(rng.randint(1, 2))]
                state = _state(rng, "broken", n)
                orders.append(_order(rng, next(numbers), customer, other, *state))
    return World(made, fill(ARTICLES, contracts, orders))


def _bought(rng: random.Random, family: str, n: int) -> list[Article]:
    """Return what is in the order, the article complained of first.

    By the number every other ticket is dear, or of two articles; some of what is missing is out of stock.
    """
    match family:
        case "broken" | "contract":
            fit = [a for a in ARTICLES if (a.cents > APPROVAL_ABOVE) == bool(n % 2)]
        case "missing":
            fit = [a for a in ARTICLES if (a.stock == 0) == (n % 5 in (1, 3))]
        case _:
            fit = [a for a in ARTICLES if a.stock > 0]
    first = rng.choice(fit)
    second = rng.choice([a for a in ARTICLES if a.stock > 0 and a != first])
    two = family == "missing" or n % 2 == 1
    return [first, second] if two else [first]


def _state(rng: random.Random, family: str, n: int) -> tuple[Status, str, str]:
    """Return the state of an order, the day promised and the day of delivery."""
    day = rng.randint(9, 20)
    match family:
        case "address":
            return ("shipped" if n % 2 else "processing"), f"{day} June", ""
        case "lost":
            return "shipped", f"{day} April", ""
        case "late":
            return "delivered", f"{day} May", f"{day + rng.randint(4, 11)} May"
    return "delivered", f"{day} May", f"{day - rng.randint(0, 3)} May"


def _order(
    rng: random.Random,
    number: int,
    customer: str,
    bought: Sequence[Article],
    status: Status,
    promised: str,
    came: str,
) -> Order:
    inside = tuple(rng.sample(bought, len(bought)))
    return Order(f"LN-{number}", customer, status, promised, came, _address(rng), inside)


def _ticket(
    rng: random.Random, family: str, n: int, order: Order, article: Article, wish: str
) -> Ticket:
    numbered = n % 3 != 2
    if numbered:
        named = rng.choice(NUMBERED).format(n=int(order.id.removeprefix("LN-")))
    elif "{thing}" in wish:
        named = "my order"
    else:
        named = f"the order with the {article.name}"
    new = _address(rng) if family == "address" else ""
    body = wish.format(
        order=named, thing=article.name, address=new, promised=order.promised, came=order.came
    )
    text = f"{rng.choice(OPENERS)} {body} {rng.choice(CLOSERS)} {order.customer}".strip()
    split, number = _fold(n)
    id_ = f"support/{split}/{family}/{number}"
    return Ticket(id_, family, split, text, order, article, numbered, new)


def _address(rng: random.Random) -> str:
    return f"{rng.randint(2, 98)} {rng.choice(STREETS)}, {rng.choice(CITIES)}"


def _fold(n: int) -> tuple[Split, int]:
    for split, count in FOLDS:
        if n < count:
            return split, n
        n -= count
    raise AssertionError("more tickets than the folds hold")


def _shuffled(rng: random.Random, wishes: Sequence[str]) -> list[str]:
    """Return a wording for every ticket of a family, each about as often as the others."""
    found: list[str] = []
    while len(found) < PER_FAMILY:
        found += rng.sample(wishes, len(wishes))
    return found[:PER_FAMILY]
