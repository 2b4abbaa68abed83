"""The environment: one hand of heads-up no-limit hold'em an episode; chips decide.

Task ids are `poker/OPPONENT/SPLIT/N`: N is the deal, which no other fold and no other opponent has. A clean
room of the exploitable poker of Continual Learning Bench (arXiv 2606.05661): the opponents are fixed rules, and
what wins from one loses to another (see `players`), so that one has to notice how each plays, and keep it.
"""

from collections.abc import Sequence
from typing import ClassVar

from ..adapter import Adapter, Seen
from ..errors import UnknownName, UsageError
from ..types import SPLITS, ActionMode, Measure, Split, Task, world_number
from .players import OPPONENTS, REPLIES
from .sessions import TRAINING
from .strength import written
from .table import HERO, OTHER, STACK, Bid, CardTable

DEALS: dict[Split, int] = {"train": TRAINING, "dev": 80, "test": 80}
"""Of each opponent."""
OPENING = f"Both players begin with {STACK} chips; the blinds are 1 and 2."


class Poker(Adapter):
    """Heads-up hold'em against Ada, Ben or Cleo.

    The score is the player's share of all chips on the table, the pot not counted before it is his. At the end
    0.5 is even, and 1 is all that the other one had; before the end it is what folding now would leave. A hand
    is won when it won chips. Many hands are best folded, so the score is what counts.

    Raises:
        MissingExtra: The package `texasholdem` is not installed.
    """

    name = "poker"
    action_mode: ClassVar[ActionMode] = "choice"
    measure: ClassVar[Measure] = "score"
    max_steps = 20

    def __init__(self) -> None:
        super().__init__()
        self._table = CardTable("", HERO)

    def families(self) -> tuple[str, ...]:
        """Return the opponents, sorted."""
        return tuple(sorted(OPPONENTS))

    def tasks(self, split: Split, families: Sequence[str] | None = None) -> tuple[Task, ...]:
        """Return the deals of a fold, opponent by opponent."""
        if split not in SPLITS:
            raise UnknownName("split", split, SPLITS)
        return tuple(
            _task(family, split, number)
            for family in self._chosen(families)
            for number in range(DEALS[split])
        )

    def task(self, task_id: str) -> Task:
        """Return the task with this id."""
        match task_id.split("/"):
            case ["poker", family, ("train" | "dev" | "test") as split, number] if (
                family in OPPONENTS and number.isdecimal() and int(number) < DEALS[split]
            ):
                return _task(family, split, int(number))
        raise UnknownName("task", task_id, [task.id for task in self.tasks("test")])

    def _start(self, task: Task, seed: int) -> Seen:
        number = int(task.id.rsplit("/", 1)[1])
        self._table = CardTable(f"{task.family} {world_number(task.split, number)}", number % 2)
        return self._seen(f"{OPENING} {self._answered()}".strip())

    def _act(self, action: str) -> Seen:
        bid = self._offers().get(action)
        if bid is None:
            said = f"{action!r} cannot be done now."
            return self._seen(said, error=said)
        self._table.act(bid)
        return self._seen(self._answered())

    def _answered(self) -> str:
        """Let the opponent act until it is the player's turn; return what he did."""
        name, table, done = self._name, self._table, []
        while table.turn == OTHER:
            bid = OPPONENTS[self._current.family](table.view())
            total = table.act(bid)
            done.append(f"{name} {bid.verb}s" + (f" to {total}" if total else "") + ".")
        return " ".join(done)

    def _seen(self, said: str, *, error: str = "") -> Seen:
        table = self._table
        chips, over = table.chips(HERO), table.turn is None
        return Seen(
            text=f"{said} {self._result() if over else self._scene()}".strip(),
            goal=f"Win chips from {self._name} at no-limit hold'em.",
            admissible=() if over else tuple(self._offers()),
            score=chips / (2 * STACK),
            won=over and chips > STACK,
            lost=over and chips <= STACK,
            inventory=f"{written(table.cards(HERO))}, {table.held(HERO)}.",
            error=error,
        )

    def _scene(self) -> str:
        table, view = self._table, self._table.view()
        where = "on the button" if table.button == HERO else "out of position"
        board = f"the {view.street}: {written(table.board)}" if table.board else "before the flop"
        return (
            f"It is {board}. You are {where}. Pot {view.pot}, to call {view.to_call}; "
            f"behind: you {table.chips(HERO)}, {self._name} {table.chips(OTHER)}."
        )

    def _result(self) -> str:
        table, won = self._table, self._table.chips(HERO) - STACK
        shown = ""
        if table.folded is None:
            cards = f"{written(table.cards(OTHER))}, {table.held(OTHER)}"
            shown = f"Board: {written(table.board)}. {self._name} had {cards}. "
        if won == 0:
            return f"{shown}The pot is split."
        return f"{shown}You {'win' if won > 0 else 'lose'} {abs(won)} chips."

    def _offers(self) -> dict[str, Bid]:
        """Return what can be done now, by its words; none when the hand is over."""
        if self._table.turn is None:
            return {}
        sizes = self._table.view().sizes
        return {
            f"raise to {sizes[bid.size]} ({bid.size})" if bid.size else bid.verb: bid
            for bid in self._table.bids()
        }

    @property
    def _name(self) -> str:
        return self._current.family.capitalize()

    def advice(self) -> str:
        """Return what the best reply to this opponent does now; for demonstrations, never shown to an agent.

        Raises:
            UsageError: The hand is over.
        """
        offers = {bid: words for words, bid in self._offers().items()}
        if not offers:
            raise UsageError("the hand is over")
        return offers[REPLIES[self._current.family](self._table.view())]

    def gold(self) -> tuple[str, ...] | None:
        """Return how the best reply to this opponent plays the hand; not every hand can be won."""
        self.reset(self._current.id)
        played: list[str] = []
        while self._table.turn is not None:
            played.append(self.advice())
            self._table.act(self._offers()[played[-1]])
            self._answered()
        self.reset(self._current.id)
        return tuple(played)


def _task(family: str, split: Split, number: int) -> Task:
    return Task(id=f"poker/{family}/{split}/{number}", env="poker", family=family, split=split)
