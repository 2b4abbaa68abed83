"""The help desk's tools: plain functions over the shop's database. What breaks a house rule is refused.

Not every rule is seen here: a clerk who pays a contract customer by card is not stopped, only judged.
"""

import re
import sqlite3
from typing import Any, Literal

from ..errors import UsageError
from ..tools import Tool
from .rules import APPROVAL_ABOVE, CODES
from .shop import euro


class HelpDesk:
    """What a clerk can do, in one database.

    Every tool raises `UsageError` with the reason when it refuses; then nothing was changed.
    """

    def __init__(self, database: sqlite3.Connection) -> None:
        self.database = database

    def tools(self) -> tuple[Tool, ...]:
        """Return the functions as tools; their signatures are the contracts."""
        return (
            Tool(self.find_customer),
            Tool(self.find_order),
            Tool(self.check_stock),
            Tool(self.request_approval),
            Tool(self.refund),
            Tool(self.reship),
            Tool(self.change_address),
        )

    def find_customer(self, name: str) -> str:
        """Find a customer by name: his orders and what is in them."""
        found = self._row(
            "SELECT name, contract FROM customers WHERE name = ? COLLATE NOCASE", name
        )
        if found is None:
            raise UsageError(f"there is no customer {name!r}")
        query = "SELECT id FROM orders WHERE customer = ? ORDER BY id"
        orders = [order for (order,) in self.database.execute(query, found[:1])]
        listed = "; ".join(
            f"{order}: {', '.join(name for _, name, _ in self._lines(order))}" for order in orders
        )
        return f"{found[0]} ({_kind(found[1])}). {listed}"

    def find_order(self, order: str) -> str:
        """Show an order: customer, state, articles with SKU and price."""
        customer, contract, status, promised, came = self._order(order)
        lines = self._lines(order)
        state = f"{status} {came}".strip()
        return (
            f"{order}, {customer} ({_kind(contract)}), {state}, promised {promised}. "
            + "; ".join(f"{sku} {name} {euro(cents)}" for sku, name, cents in lines)
            + f". Total {euro(sum(cents for *_, cents in lines))} EUR."
        )

    def check_stock(self, sku: str) -> str:
        """Say how many pieces of an article are in stock."""
        name, stock = self._article(sku)
        self.database.execute("INSERT INTO stock_checks VALUES (?)", (sku,))
        return f"{sku} {name}: {stock} in stock"

    def request_approval(self, order: str, reason: str) -> str:
        """Ask the supervisor to approve a step for an order."""
        self._order(order)
        if reason not in CODES:
            known = ", ".join(f"{code} ({word})" for code, word in CODES.items())
            raise UsageError(f"{reason!r} is no reason code; codes: {known}")
        if self._row("SELECT 1 FROM approvals WHERE order_id = ? AND reason = ?", order, reason):
            raise UsageError(f"{order} is approved already")
        self.database.execute("INSERT INTO approvals VALUES (?, ?)", (order, reason))
        return f"approved: {order}, {reason}"

    def refund(self, order: str, amount: float, to: Literal["card", "credit"]) -> str:
        """Pay an amount in EUR back for an order, to the card or as store credit."""
        contract = self._order(order)[1]
        cents, total = round(amount * 100), sum(cents for *_, cents in self._lines(order))
        if not 0 < cents <= total:
            raise UsageError(f"the amount must be between 0.01 and the total of {euro(total)} EUR")
        approved = self._row("SELECT 1 FROM approvals WHERE order_id = ?", order)
        if cents > APPROVAL_ABOVE and not contract and not approved:
            raise UsageError(f"above {euro(APPROVAL_ABOVE)} EUR an approval is needed first")
        self.database.execute("INSERT INTO refunds VALUES (?, ?, ?)", (order, cents, to))
        return f"paid {euro(cents)} of {euro(total)} EUR for {order} to: {to}"

    def reship(self, order: str, sku: str) -> str:
        """Send an article of an order again."""
        self._order(order)
        name, stock = self._article(sku)
        if sku not in [line[0] for line in self._lines(order)]:
            raise UsageError(f"{sku} is not in {order}")
        if not self._row("SELECT 1 FROM stock_checks WHERE sku = ?", sku):
            raise UsageError(f"the stock of {sku} was not checked")
        if stock == 0:
            raise UsageError(f"{sku} is out of stock; its price is refunded instead")
        self.database.execute("UPDATE articles SET stock = stock - 1 WHERE sku = ?", (sku,))
        self.database.execute("INSERT INTO reshipments VALUES (?, ?)", (order, sku))
        return f"sent again: {sku} {name} of {order}"

    def change_address(self, order: str, address: str) -> str:
        """Change where an order is sent to."""
        if self._order(order)[2] != "processing":
            raise UsageError(f"{order} has shipped; a redirect needs an approval with its code")
        if self._row("SELECT 1 FROM address_changes WHERE order_id = ?", order):
            raise UsageError(f"the address of {order} was changed already")
        self.database.execute("UPDATE orders SET address = ? WHERE id = ?", (address, order))
        self.database.execute("INSERT INTO address_changes VALUES (?, ?)", (order, address))
        return f"{order} goes to: {address}"

    def _row(self, query: str, *values: object) -> tuple[Any, ...] | None:
        found: tuple[Any, ...] | None = self.database.execute(query, values).fetchone()
        return found

    def _order(self, order: str) -> tuple[Any, ...]:
        if not re.fullmatch(r"LN-\d{5}", order):
            raise UsageError(f"{order!r} is no order id; write it as LN- and its five digits")
        found = self._row(
            "SELECT customer, contract, status, promised, came FROM orders "
            "JOIN customers ON customer = name WHERE id = ?",
            order,
        )
        if found is None:
            raise UsageError(f"there is no order {order}")
        return found

    def _lines(self, order: str) -> list[tuple[str, str, int]]:
        """Return SKU, name and price in cents of what is in an order."""
        query = "SELECT sku, name, cents FROM lines JOIN articles USING (sku) WHERE order_id = ?"
        return self.database.execute(f"{query} ORDER BY lines.rowid", (order,)).fetchall()

    def _article(self, sku: str) -> tuple[str, int]:
        found = self._row("SELECT name, stock FROM articles WHERE sku = ?", sku)
        if found is None:
            raise UsageError(f"{sku!r} is no SKU; an order shows them")
        return str(found[0]), int(found[1])


def _kind(contract: int) -> str:
    return "contract" if contract else "private"
