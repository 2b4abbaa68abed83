"""The table of SoftCoT: every kind of projection, the controls and no hint, over sources and seeds.

Each (source, seed) is trained and evaluated by itself and kept in a folder, so the same call goes on after an
interruption.
"""

import hashlib
import shutil
from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

import numpy as np
from pydantic import ValidationError

from ....envs.errors import BadFile
from ....envs.types import Record
from ....memory.credit.intervals import Estimate, estimate_by_group
from ....memory.ledger.whole_file import whole
from ....memory.store.made_from import made_from
from ...config import AgentConfig
from ...llm.frozen import Frozen
from ...llm.soft_reader import SoftReader
from ...softcot.checkpoint import CARD, Card, load
from ...softcot.errors import WrongModels
from ...softcot.projection import Projection
from ...softcot.soft_assistant import SoftAssistant
from ...softcot.soft_config import Example, ProjectionConfig, TrainConfig
from ...softcot.sources import open_source
from ...softcot.train import Told, Trainer, examples_hash
from .answer_table import FIXED_ARMS, Decoding, GivenAnswer, Table, evaluate_source

KINDS: dict[str, tuple[ProjectionConfig, bool]] = {
    "linear": (ProjectionConfig(), False),
    "mlp": (ProjectionConfig(kind="mlp"), False),
    "paper": (ProjectionConfig(mode="paper", init="random"), True),
}
"""Arms that are trained; the second part: with the official code's settings."""
ARMS = ("none", "verbal", "paper", "linear", "mlp", *FIXED_ARMS[2:])


class Size(Record):
    """How much is learned and measured for each source and seed."""

    examples: int = 200
    questions: int = 40
    epochs: int = 5
    batch: int = 4
    n_infer: int = 4
    samples: int = 1
    """Sampled answers a question, besides the greedy one."""


class Cost(Record):
    """What a projection cost."""

    arm: str
    weights: int
    steps: int
    tokens: int
    seconds: float
    loss: tuple[float, float]
    """Of the first and the last epoch, nats a token."""
    held_out: tuple[float, ...]


class Question(Record):
    """What a question is, whatever the seed that asked it."""

    content: str
    """Beginning of the SHA-256 over its text and its answer."""
    task: str
    """What it is one decision of: a task or an episode; itself where it is of neither."""


class Part(Record):
    """One source with one seed."""

    size: Size
    models: tuple[str, str]
    """Weights of the assistant and of the LLM."""
    asked: str
    """SHA-256 over what was learned from and what was asked."""
    seed: int
    table: Table
    costs: tuple[Cost, ...]
    questions: tuple[Question, ...] = ()
    """By number; none in a file of an earlier version."""


class TableLine(Record):
    """An arm on a source, over all seeds.

    A question that several seeds asked is one question: its answers are averaged. Decisions of one task go
    together: rates and gains are means over tasks of each task's mean, every task weighing the same, and
    intervals are bootstraps over tasks (over questions, where each is a task of its own).
    """

    source: str
    arm: str
    decoding: Decoding
    n: int
    """Distinct questions."""
    tasks: int
    """Distinct tasks that they are of."""
    right: float
    ci95: tuple[float, float]
    parsed: float
    tokens: float
    gain_none: float
    """Over the LLM alone, paired by question."""
    gain_none_ci95: tuple[float, float]
    gain_verbal: float
    gain_verbal_ci95: tuple[float, float]


def run_part(
    source: str,
    config: AgentConfig,
    size: Size,
    folder: Path,
    *,
    llm: Frozen,
    assistant: Frozen,
    states: Path | None = None,
    told: Callable[[str, int, int], None] = lambda what, done, of: None,
) -> Part:
    """Train every kind of projection on a source and measure every arm; what is known is not done again.

    Args:
        source: See `sources.open_source`.
        config: Its seed is the part's.
        size: How much.
        folder: Where the projections and `part.json` go.
        llm: Reads.
        assistant: Thinks.
        states: Folder of the assistant's states.
        told: Told of what goes on, of how much is done, and of how much there is.
    """
    opened = open_source(source, config, examples=size.examples, held_out=size.questions)
    models = (assistant.identity().weights, llm.identity().weights)
    both = [*opened.learned, *opened.held_out]
    asked = examples_hash(both)
    made_from(folder, {name for e in both for name in (e.episode, *e.saw)} - {""})
    questions = tuple(_question(example) for example in opened.held_out)
    known = _known(folder / "part.json")
    wanted = (size, models, asked)
    if known is not None and (known.size, known.models, known.asked) == wanted:
        return known.model_copy(update={"questions": questions})
    thinker = SoftAssistant(assistant, states)
    projections: dict[str, Projection] = {}
    costs = []
    for arm, (form, paper) in KINDS.items():
        dials = TrainConfig.paper() if paper else TrainConfig()
        changed = {"epochs": size.epochs, "batch": size.batch, "n_infer": size.n_infer}
        trainer = Trainer(
            thinker,
            llm,
            opened.learned,
            held_out=opened.held_out[:20],
            projection=form,
            config=dials.model_copy(update=changed),
            seed=config.seed,
        )
        projections[arm], card = _made(trainer, folder / arm, _steps(arm, told))
        costs.append(_cost(arm, card, trainer.projection.parameters_count))
    table = evaluate_source(
        opened,
        assistant=thinker,
        reader=SoftReader(llm),
        projections=projections,
        n=size.n_infer,
        arms=ARMS,
        seeds=range(1, size.samples + 1),
        batch=16 if llm.model.device.type == "cpu" else 64,
        told=lambda done, of: told("answers", done, of),
    )
    part = Part(
        size=size,
        models=models,
        asked=asked,
        seed=config.seed,
        table=table,
        costs=tuple(costs),
        questions=questions,
    )
    whole(folder / "part.json", lambda path: path.write_text(part.model_dump_json(), "utf-8"))
    return part


def lines(parts: Sequence[Part]) -> list[TableLine]:
    """Return the table: every source, decoding and arm, with 95% intervals over tasks."""
    found = []
    for source in dict.fromkeys(part.table.source for part in parts):
        of = [part for part in parts if part.table.source == source]
        decodings = dict.fromkeys(a.decoding for part in of for a in part.table.answers)
        for decoding in decodings:
            for arm in ARMS:
                found.append(_line(of, source, arm, decoding))
    return found


def _line(parts: Sequence[Part], source: str, arm: str, decoding: Decoding) -> TableLine:
    ours = _right(parts, arm, decoding)
    share = _over_tasks(ours, least=0)
    answers = [a for p in parts for a in _answers(p, arm, decoding)]

    def gain(other: str) -> tuple[float, tuple[float, float]]:
        theirs = _right(parts, other, decoding)
        got = _over_tasks({key: ours[key] - theirs[key] for key in ours}, least=-1)
        return got.mean, (got.low, got.high)

    over_none, over_verbal = gain("none"), gain("verbal")
    return TableLine(
        source=source,
        arm=arm,
        decoding=decoding,
        n=len(ours),
        tasks=len({question.task for question in ours}),
        right=share.mean,
        ci95=(share.low, share.high),
        parsed=float(np.mean([a.parsed for a in answers])),
        tokens=float(np.mean([a.tokens for a in answers])),
        gain_none=over_none[0],
        gain_none_ci95=over_none[1],
        gain_verbal=over_verbal[0],
        gain_verbal_ci95=over_verbal[1],
    )


def _answers(part: Part, arm: str, decoding: Decoding) -> list[GivenAnswer]:
    return [a for a in part.table.answers if a.arm == arm and a.decoding == decoding]


def _question(example: Example) -> Question:
    said = "\0".join((example.question, example.assistant_sees, example.answer))
    content = hashlib.sha256(said.encode()).hexdigest()[:16]
    return Question(content=content, task=example.task or example.episode or content)


def _right(parts: Sequence[Part], arm: str, decoding: Decoding) -> dict[Question, float]:
    """Return the share of right answers to each question, over its seeds and samples."""
    found: dict[Question, list[bool]] = defaultdict(list)
    for part in parts:
        for answer in _answers(part, arm, decoding):
            unknown = f"{part.seed}/{answer.question}"
            asked = (
                part.questions[answer.question]
                if part.questions
                else Question(content=unknown, task=unknown)
            )
            found[asked].append(answer.right)
    return {asked: float(np.mean(values)) for asked, values in found.items()}


def _over_tasks(values: Mapping[Question, float], *, least: float) -> Estimate:
    """Return the mean over tasks of each task's mean; one task alone leaves everything possible."""
    tasks = [question.task for question in values]
    found = estimate_by_group(list(values.values()), tasks, seed=0)
    return found if len(set(tasks)) > 1 else Estimate(found.mean, least, 1.0)


def _steps(arm: str, told: Callable[[str, int, int], None]) -> Told:
    return lambda done, of, loss: told(f"{arm}: steps, loss {loss:.2f}", done, of)


def _known(path: Path) -> Part | None:
    try:
        return Part.model_validate_json(path.read_text(encoding="utf-8"))
    except (OSError, ValidationError, UnicodeDecodeError):
        return None  # it is made again


def _made(trainer: Trainer, folder: Path, told: Told) -> tuple[Projection, Card]:
    """Return what a training comes to, done or to be done.

    The folder is the table's alone: what another size, or damage, left in it is removed.
    """
    models = (trainer.assistant.frozen, trainer.llm)
    if (folder / CARD).exists():
        try:
            projection, card = load(folder, *models)
            if card.same_training(trainer.card()):
                return projection, card
        except (BadFile, WrongModels):
            pass
        shutil.rmtree(folder)
    try:
        trainer.run(folder, told)
    except (BadFile, WrongModels):  # raised before the first step
        shutil.rmtree(folder)
        trainer.run(folder, told)
    return load(folder, *models)


def _cost(arm: str, card: Card, weights: int) -> Cost:
    return Cost(
        arm=arm,
        weights=weights,
        steps=card.steps,
        tokens=card.tokens,
        seconds=card.seconds,
        loss=(card.losses[0], card.losses[-1]),
        held_out=card.held_out,
    )
