"""What the shop has: articles, customers, orders; and its SQLite database, made anew for every episode.

Knows nothing of tickets, rules or tools.
"""

import re
import sqlite3
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Literal, NamedTuple

Status = Literal["processing", "shipped", "delivered"]


class Article(NamedTuple):
    """Something that the shop sells."""

    sku: str
    name: str
    cents: int
    """Price in EUR cents."""
    stock: int
    """Pieces in stock when an episode begins."""


@dataclass(frozen=True)
class Order:
    """What a customer bought."""

    id: str
    """In the house form, `LN-` and five digits."""
    customer: str
    status: Status
    promised: str
    """The day for which it was promised, as `3 May`."""
    came: str
    """The day of delivery; empty before it."""
    address: str
    articles: tuple[Article, ...]

    @property
    def cents(self) -> int:
        """The order's total in EUR cents."""
        return sum(article.cents for article in self.articles)


KINDS = ("address", "approval", "refund", "reshipment")


class Booking(NamedTuple):
    """What a call put into the books, as it is judged."""

    kind: str
    """One of `KINDS`."""
    order: str
    what: str
    """`8.40 card`, a reason code, a SKU, or an address as `bare` writes it."""


SCHEMA = """
CREATE TABLE articles (sku TEXT PRIMARY KEY, name TEXT, cents INTEGER, stock INTEGER);
CREATE TABLE customers (name TEXT PRIMARY KEY, contract INTEGER);
CREATE TABLE orders (id TEXT PRIMARY KEY, customer TEXT REFERENCES customers, status TEXT, promised TEXT,
                     came TEXT, address TEXT);
CREATE TABLE lines (order_id TEXT REFERENCES orders, sku TEXT REFERENCES articles);
CREATE TABLE stock_checks (sku TEXT);
CREATE TABLE approvals (order_id TEXT, reason TEXT);
CREATE TABLE refunds (order_id TEXT, cents INTEGER, destination TEXT);
CREATE TABLE reshipments (order_id TEXT, sku TEXT);
CREATE TABLE address_changes (order_id TEXT, address TEXT);
"""

_BOOKINGS = """
SELECT 'refund', order_id, printf('%.2f %s', cents / 100.0, destination) FROM refunds
UNION ALL SELECT 'approval', order_id, reason FROM approvals
UNION ALL SELECT 'reshipment', order_id, sku FROM reshipments
UNION ALL SELECT 'address', order_id, address FROM address_changes
"""


def fill(articles: Iterable[Article], contracts: dict[str, bool], orders: Iterable[Order]) -> bytes:
    """Return the shop's database before any ticket, as SQLite writes it to disk.

    Args:
        articles: All that is sold.
        contracts: Customer -> whether he has a contract.
        orders: All orders of these customers.
    """
    database = sqlite3.connect(":memory:")
    database.executescript(SCHEMA)
    database.executemany("INSERT INTO articles VALUES (?, ?, ?, ?)", articles)
    database.executemany("INSERT INTO customers VALUES (?, ?)", contracts.items())
    for order in orders:
        row = (order.id, order.customer, order.status, order.promised, order.came, order.address)
        database.execute("INSERT INTO orders VALUES (?, ?, ?, ?, ?, ?)", row)
        lines = [(order.id, article.sku) for article in order.articles]
        database.executemany("INSERT INTO lines VALUES (?, ?)", lines)
    database.commit()
    image = database.serialize()
    database.close()
    return image


def opened(image: bytes) -> sqlite3.Connection:
    """Return a database in memory with these contents; every call is written at once.

    An agent may step an environment from several threads, one after the other.
    """
    database = sqlite3.connect(":memory:", isolation_level=None, check_same_thread=False)
    database.deserialize(image)
    return database


def bookings(database: sqlite3.Connection) -> list[Booking]:
    """Return all that was booked for customers since the episode began, sorted."""
    found = (Booking(*row) for row in database.execute(_BOOKINGS))
    return sorted(e._replace(what=bare(e.what)) if e.kind == "address" else e for e in found)


def bare(address: str) -> str:
    """Return an address without its punctuation and capitals.

    >>> bare("4 Elm Road, 5003 Bergen")
    '4 elm road 5003 bergen'
    """
    return " ".join(re.findall(r"\w+", address.casefold()))


def euro(cents: int) -> str:
    """Return an amount as the shop writes it.

    >>> euro(840)
    '8.40'
    """
    return f"{cents / 100:.2f}"
