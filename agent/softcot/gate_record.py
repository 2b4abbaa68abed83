"""What a measurement of the gate found, on disk: read without any model."""

from collections.abc import Iterable
from pathlib import Path

from pydantic import ValidationError

from ...envs.errors import BadFile
from ...envs.types import Record
from ...memory.ledger.records import EpisodeCase
from ...memory.ledger.whole_file import whole
from ...memory.store.made_from import made_from
from ..llm.thought import Mode

GATE = Path("gate") / "gate.json"
"""In a folder of its own: what it was measured on may be forgotten without the projection."""
KEPT = 20
"""Earlier measurements that are kept."""
RETEST_AFTER = 5
"""New successful episodes in memory after which the gate is measured again."""


class Contrast(Record):
    """A paired difference in the probability of the right action, with its 95% interval."""

    against: str
    diff: float
    ci95: tuple[float, float]

    @property
    def holds(self) -> bool:
        """Whether the lower bound is above 0."""
        return self.ci95[0] > 0


class FamilyGate(Record):
    """The verdict on one kind of task."""

    family: str
    mode: Mode
    n: int
    """Held-out decisions."""
    tasks: int = 0
    """Different tasks that they are from: the intervals are over these."""
    soft: tuple[Contrast, ...] = ()
    verbal: tuple[Contrast, ...] = ()
    probability: dict[str, float] = {}
    """Mean probability of the right action, by arm."""


class GateRecord(Record):
    """One measurement."""

    projection: str
    """SHA-256 of the projection's weights."""
    episodes: tuple[str, ...]
    """Held-out episodes that it was measured on."""
    successes: int
    """Successful episodes that memory held."""
    families: tuple[FamilyGate, ...]
    seed: int
    tokens: int
    """Tokens that the LLM and the assistant read for it."""
    failed: str = ""
    """Why nothing could be measured; then nothing is on."""
    rolled_back: bool = False
    """Whether an earlier projection was put back, because the newer one passed nowhere."""

    @property
    def on(self) -> bool:
        """Whether a hint is on for any kind of task."""
        return any(family.mode != "off" for family in self.families)

    @property
    def passes(self) -> bool:
        """Whether soft thoughts are on for any kind of task."""
        return any(family.mode == "soft" for family in self.families)

    def mode(self, family: str) -> Mode:
        """Return what is on for a kind of task; `off` for one that was not measured."""
        return next((f.mode for f in self.families if f.family == family), "off")


class GateFile(Record):
    """All measurements of a projection, the newest last."""

    measured: tuple[GateRecord, ...]


def read_gate(folder: Path) -> GateFile | None:
    """Return what was measured for the projection in a folder; None when nothing was.

    Raises:
        BadFile: The file is damaged.
    """
    path = folder / GATE
    try:
        return GateFile.model_validate_json(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        return None
    except (ValidationError, UnicodeDecodeError) as error:
        raise BadFile(
            f"{path} is damaged", hint="Measure it again: `lichen softcot gate`."
        ) from error


def add_record(folder: Path, record: GateRecord) -> None:
    """Keep a measurement; the newest counts."""
    try:
        known = read_gate(folder)
    except BadFile:
        known = None  # what cannot be read says nothing, and this one is newer
    earlier = known.measured if known is not None else ()
    made_from((folder / GATE).parent, record.episodes)
    text = GateFile(measured=(*earlier, record)[-KEPT:]).model_dump_json(indent=1) + "\n"
    whole(folder / GATE, lambda path: path.write_text(text, encoding="utf-8"))


def outgrown(record: GateRecord, episodes: Iterable[EpisodeCase]) -> bool:
    """Return whether memory changed so much since a measurement that it has to be made again."""
    held = list(episodes)
    won = sum(case.outcome == "success" for case in held)
    known = {case.episode for case in held}
    return abs(won - record.successes) >= RETEST_AFTER or not set(record.episodes) <= known
