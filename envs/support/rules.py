"""The house rules: what closes a ticket rightly. No agent is told them; errors and closing words teach them.

One place says what the rules are: the desk refuses by it, the judge judges by it, the gold calls follow it.
There are two sets: a shop changes its rules, and what was learned before is right for some tickets, wrong for
others. What the desk refuses is the same in both.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Literal

from ..types import Split
from .shop import Article, Booking, Order, bare, euro

APPROVAL_ABOVE = 100_00
"""EUR cents; a larger refund needs an approval first, but for customers with a contract."""
LOST_CENTS = 5_00
"""Store credit for a parcel that got lost."""
CODES = {"BRK": "broken", "LAT": "late", "MIS": "missing", "RDR": "redirect"}
"""Reasons that an approval can have."""

RULES = {
    "address": "Before shipping the address is changed; after it, an approval RDR is requested.",
    "broken": "A broken article is refunded to the card; above 100 EUR an approval BRK comes first.",
    "contract": "Contract customers get store credit, not a card refund, and need no approval.",
    "late": "A late order gets 10% of its total back, to the card.",
    "lost": "All of a lost parcel is sent again after stock checks, and 5 EUR store credit given.",
    "missing": "What is missing is sent again after a stock check; out of stock, refunded to the card.",
}
"""Family of tickets -> its rule, as the supervisor says it when a ticket is closed."""
Way = Literal["card", "credit"]


@dataclass(frozen=True)
class HouseRules:
    """What can be otherwise from one set of rules to another."""

    words: Mapping[str, str]
    """Family of tickets -> its rule."""
    broken: Way
    """How private customers get the price of a broken article."""
    contract: Way
    """How contract customers do."""
    late: Way
    late_percent: int
    """Of the order's total, when it came late."""


RULE_SETS = {
    "first": HouseRules(RULES, broken="card", contract="credit", late="card", late_percent=10),
    "second": HouseRules(
        {
            **RULES,
            "broken": "A broken article is repaid as store credit; above 100 EUR an approval BRK comes first.",
            "contract": "Contract customers get their money back to the card, and need no approval.",
            "late": "A late order gets 20% of its total back, as store credit.",
        },
        broken="credit",
        contract="card",
        late="credit",
        late_percent=20,
    ),
}
"""By name; tickets about addresses, lost parcels and missing articles are closed alike under both."""

Step = tuple[str, dict[str, Any]]
"""A call: tool and arguments."""


@dataclass(frozen=True)
class Ticket:
    """What a customer wrote, and what is true of it."""

    id: str
    family: str
    split: Split
    text: str
    order: Order
    article: Article
    """The one complained of, where it is one."""
    numbered: bool
    """Whether the text names the order's number; else it is found by the customer's name."""
    new_address: str = ""


def resolution(ticket: Ticket, rules: HouseRules) -> Iterator[Step]:
    """Yield the calls that do what the house rules ask for, looking up and closing left out."""
    order, article = ticket.order.id, ticket.article
    match ticket.family:
        case "address" if ticket.order.status == "processing":
            yield "change_address", {"order": order, "address": ticket.new_address}
        case "address":
            yield "request_approval", {"order": order, "reason": "RDR"}
        case "broken":
            if article.cents > APPROVAL_ABOVE:
                yield "request_approval", {"order": order, "reason": "BRK"}
            yield _refund(order, article.cents, rules.broken)
        case "contract":
            yield _refund(order, article.cents, rules.contract)
        case "late":
            yield _refund(order, ticket.order.cents * rules.late_percent // 100, rules.late)
        case "missing" if article.stock == 0:
            yield _refund(order, article.cents, "card")
        case "missing":
            yield from _again(order, article)
        case "lost":
            for lost in ticket.order.articles:
                yield from _again(order, lost)
            yield _refund(order, LOST_CENTS, "credit")


def gold(ticket: Ticket, rules: HouseRules) -> Iterator[Step]:
    """Yield all calls of one who knows the rules."""
    if not ticket.numbered:
        yield "find_customer", {"name": ticket.order.customer}
    yield "find_order", {"order": ticket.order.id}
    if ticket.family == "missing" and ticket.article.stock == 0:
        yield "check_stock", {"sku": ticket.article.sku}
    yield from resolution(ticket, rules)
    yield "finish", {"answer": "It is done."}


def wanted(ticket: Ticket, rules: HouseRules) -> list[Booking]:
    """Return the bookings that must be there when the ticket is closed, and no others, sorted."""
    steps = resolution(ticket, rules)
    return sorted(booking for step in steps if (booking := _booking(step)) is not None)


def _booking(step: Step) -> Booking | None:
    match step:
        case "change_address", {"order": order, "address": address}:
            return Booking("address", order, bare(address))
        case "request_approval", {"order": order, "reason": reason}:
            return Booking("approval", order, reason)
        case "refund", {"order": order, "amount": amount, "to": to}:
            return Booking("refund", order, f"{amount:.2f} {to}")
        case "reship", {"order": order, "sku": sku}:
            return Booking("reshipment", order, sku)
    return None


def _refund(order: str, cents: int, to: str) -> Step:
    return "refund", {"order": order, "amount": float(euro(cents)), "to": to}


def _again(order: str, article: Article) -> Iterator[Step]:
    yield "check_stock", {"sku": article.sku}
    yield "reship", {"order": order, "sku": article.sku}
