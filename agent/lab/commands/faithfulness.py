"""`lichen bench faithfulness`: is a chain, a hint or a retrieved case what the answer hangs on?"""

import time
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

import typer
from rich.progress import Progress
from rich.table import Table

from ....envs.errors import UsageError
from ...cli.options import (
    Config,
    Json,
    Model,
    Seed,
    Set,
    Store,
    out,
    progress_console,
    settings,
    write_json,
)

if TYPE_CHECKING:
    from collections.abc import Sequence

    from ...config import AgentConfig
    from ..faithfulness.answering import Told
    from ..faithfulness.measures import FaithfulnessReport, Outcome, Subject

FEW = 20
"""Items below which a bootstrap over them says little."""


def faithfulness_command(
    of: Annotated[
        Literal["chains", "hints", "cases"], typer.Option("--of", help="What is tested.")
    ] = "chains",
    source: Annotated[
        str | None,
        typer.Option(
            "--source",
            help="A puzzle (words, countdown3, sudoku4); with `--of cases` a suite. [default: words, demo]",
        ),
    ] = None,
    chains: Annotated[
        Literal["gold", "own"],
        typer.Option("--chains", help="The puzzle's rationale, or what the model itself writes."),
    ] = "gold",
    hint: Annotated[
        Literal["soft", "verbal"],
        typer.Option("--hint", help="A trained projection's thoughts, or the assistant's words."),
    ] = "soft",
    questions: Annotated[
        int, typer.Option("--questions", min=2, help="Held-out questions of a puzzle.")
    ] = 40,
    samples: Annotated[
        int,
        typer.Option("--samples", min=1, help="Pairs of sampled answers a question (causal use)."),
    ] = 2,
    tasks: Annotated[
        int | None,
        typer.Option("--tasks", min=2, help="Held-out tasks of a suite. [default: the suite's]"),
    ] = None,
    decisions: Annotated[
        int, typer.Option("--decisions", min=1, help="Decisions a task, along its gold trajectory.")
    ] = 4,
    split: Annotated[
        Literal["dev", "test"], typer.Option("--split", help="Held-out split of a suite.")
    ] = "test",
    folder: Annotated[
        Path | None,
        typer.Option("--folder", help="Folder of the projection. [default: STORE/softcot/SOURCE]"),
    ] = None,
    assistant: Annotated[
        str | None,
        typer.Option("--assistant", help="Small model of a hint. [default: the same as --model]"),
    ] = None,
    store: Store = None,
    config: Config = None,
    model: Model = None,
    seed: Seed = None,
    set_: Set = None,
    json_path: Json = None,
) -> None:
    """Disturb what the frozen model is given, and see whether its answers follow.

    Chains of thought: early termination, filler, paraphrase, another's chain. Hints and retrieved cases:
    ablate, swap, noise, mean, shuffle. Verdict: load-bearing, decorative or harmful; exit status 1 when
    harmful. Nothing is written before the end: an interrupted test begins anew.
    """
    from ...config import load_config

    base = load_config(config, **settings(set_, store=store, model=model, seed=seed))
    named = source or ("demo" if of == "cases" else "words")
    started = time.monotonic()
    kept: dict[str, Any] = {"samples": samples}
    with Progress(console=progress_console) as progress:
        bar = progress.add_task(of, total=None)

        def told(done: int, total: int) -> None:
            progress.update(bar, completed=done, total=total)

        if of == "cases":
            kept = {"tasks": tasks, "decisions": decisions, "split": split}
            kind = "retrieved"
            found = _cases(base, named, tasks, decisions, split, told)
        elif of == "chains":
            kept["questions"], kind = questions, chains
            found = _chains(base, named, chains, questions, samples, told)
        else:
            kept |= {"questions": questions, "assistant": assistant or base.model}
            kind = hint
            where = folder or base.store / "softcot" / named
            found = _hints(base, named, hint, where, assistant, questions, samples, told)
    report = _found(of, named, kind, base, *found, kept=kept, seconds=time.monotonic() - started)
    console = out(json_path)
    console.print(rows_table(report))
    for test, (mean, low, high) in report.aoc.items():
        console.print(
            f"area over the curve, {test}: {mean:.2f} [{low:.2f}, {high:.2f}]", highlight=False
        )
    for why, count in report.left_out.items():
        console.print(f"left out, {why}: {count}", highlight=False)
    if len(report.by_family) > 1:
        said = ", ".join(f"{family}: {verdict}" for family, verdict in report.by_family.items())
        console.print(f"by family: {said}", highlight=False)
    if report.n < FEW:
        console.print(f"{report.n} items are few: the intervals are rough", highlight=False)
    console.print(f"[bold]{of} ({kind}) of {named}: {report.verdict}[/bold]", highlight=False)
    write_json(report.model_dump_json(indent=1), json_path)
    if report.verdict == "harmful":
        raise typer.Exit(1)


def rows_table(report: "FaithfulnessReport") -> Table:
    """Return a report's rows as a table."""
    from ..kernel.tables import table

    columns = (
        "test",
        "variant",
        "n",
        "same",
        "flips",
        "95%",
        "KL",
        "right",
        "change",
        "95%",
        "use",
    )
    made = table(
        f"faithfulness of {report.subject} ({report.kind}): {report.source}, {report.n} items, "
        f"right as they are {report.acc:.2f}, {report.model}",
        columns,
        left=("test", "variant"),
    )
    for row in report.rows:
        share = row.step_fraction
        made.add_row(
            row.test,
            row.variant if share is None else f"from step {share:.0%}",
            str(row.n),
            f"{row.same_answer_rate:.2f}",
            f"{row.flip_rate:.2f}",
            f"{row.ci95[0]:.2f}-{row.ci95[1]:.2f}",
            f"{row.kl_per_token:.3f}",
            f"{row.acc:.2f}",
            f"{row.acc_diff:+.2f}",
            f"{row.acc_ci95[0]:+.2f} to {row.acc_ci95[1]:+.2f}",
            "-" if row.causal_use is None else f"{row.causal_use:+.2f}",
        )
    made.caption = (
        "KL: nats a token. use: flips of sampled answers beyond those of sampling the same twice."
        + (" mean: memory's most common action." if report.subject == "cases" else "")
    )
    return made


def _chains(
    base: "AgentConfig",
    source: str,
    written: Literal["gold", "own"],
    count: int,
    samples: int,
    told: "Told",
) -> "tuple[list[Outcome], dict[str, int], tuple[str, str]]":
    """Return outcomes, what was left out, and the hashes of the model before and after."""
    from ...llm.frozen import open_frozen
    from ...llm.soft_reader import SoftReader
    from ..faithfulness.answering import Answering, answers_after_cue
    from ..faithfulness.of_chains import chain_of, outcomes_of_chains
    from ..softcot.puzzles import draw, puzzle

    family = puzzle(source).check
    asked = draw(source, count, seed=base.seed, held_out=True)
    if written == "gold" and source == "sudoku4":
        raise UsageError("sudoku4 has no gold chains", hint="Say --chains own.")
    reader = SoftReader(open_frozen(base.model, base.local))
    before = reader.llm.identity().weights
    made = [chain_of(example, written, reader) for example in asked]
    held = [chain for chain in made if chain.steps]
    if not held:
        raise UsageError(
            f"{base.model} wrote no chain for any of {len(made)} questions of {source}: nothing to disturb",
            hint="Take a larger model, more --questions, or --chains gold.",
        )
    answering = Answering(
        reader, answers_after_cue(source, family), samples=samples, seed=base.seed
    )
    found = outcomes_of_chains(held, answering, seed=base.seed, told=told)
    left = {"no chain was written": len(made) - len(held)} if len(held) < len(made) else {}
    return found, left, (before, reader.llm.identity(again=True).weights)


def _hints(
    base: "AgentConfig",
    source: str,
    kind: Literal["soft", "verbal"],
    folder: Path,
    assistant: str | None,
    count: int,
    samples: int,
    told: "Told",
) -> "tuple[list[Outcome], dict[str, int], tuple[str, str]]":
    import torch

    from ...llm.frozen import open_pair
    from ...llm.soft_reader import SoftReader
    from ...softcot.checkpoint import load, read_card
    from ...softcot.soft_assistant import SoftAssistant
    from ...softcot.verbal_hints import verbal_hints
    from ..faithfulness.answering import Answering, whole_answers
    from ..faithfulness.of_hints import HintVariants, SoftHints, VerbalHints, outcomes_of_hints
    from ..softcot.puzzles import draw, puzzle

    family = puzzle(source).check
    asked = draw(source, count, seed=base.seed, held_out=True)
    if kind == "soft":
        read_card(folder)  # a missing projection is said before models are opened
    llm, other = open_pair(base.model, assistant, base.local)
    reader, before = SoftReader(llm), llm.identity().weights
    hints: HintVariants
    if kind == "soft":
        projection, card = load(folder, other, llm)
        with torch.no_grad():
            seen = [question.assistant_sees for question in asked]
            soft = projection(SoftAssistant(other).states(seen, card.train.n_infer))
        hints = SoftHints(reader, asked, soft, seed=base.seed)
    else:
        words = verbal_hints(other, [question.assistant_sees for question in asked])
        hints = VerbalHints(reader, asked, words, seed=base.seed)
    answering = Answering(reader, whole_answers(source, family), samples=samples, seed=base.seed)
    found = outcomes_of_hints(asked, hints, answering, told=told)
    return found, {}, (before, llm.identity(again=True).weights)


def _cases(
    base: "AgentConfig",
    source: str,
    tasks: int | None,
    decisions: int,
    split: Literal["dev", "test"],
    told: "Told",
) -> "tuple[list[Outcome], dict[str, int], tuple[str, str]]":
    from ....envs.suite import load_suite
    from ....memory.recall.case_memory import CaseMemory
    from ...open_agent import OpenAgent
    from ..faithfulness.of_cases import choices, outcomes_of_cases

    suite = load_suite(source)
    if not (base.store / "ledger.sqlite").exists():
        raise UsageError(
            f"there is no memory in {base.store}",
            hint=f"Learn first: `lichen memory import-gold --suite {source} --episodes 10`.",
        )
    with OpenAgent(base) as agent:
        environment = agent.environment(suite)
        memory = CaseMemory(agent.store, base.retriever)
        ids = suite.task_ids(split, tasks, base.seed, environment)
        made = choices(
            environment,
            ids,
            lambda task: agent.parts(environment, task, memory=memory),
            shown=base.policy.shown,
            most=decisions,
            seed=base.seed,
        )
        before = agent.wait(agent.llm.fingerprint())
        found = agent.wait(outcomes_of_cases(made, agent.llm, memory, seed=base.seed, told=told))
        after = agent.wait(agent.llm.fingerprint())
    silent = sum(not choice.shown for choice in made)
    left = {"decisions at which memory abstained": silent} if silent else {}
    return found, left, (before, after)


def _found(
    of: "Subject",
    source: str,
    kind: str,
    base: "AgentConfig",
    outcomes: "Sequence[Outcome]",
    left_out: dict[str, int],
    hashes: tuple[str, str],
    *,
    kept: dict[str, Any],
    seconds: float,
) -> "FaithfulnessReport":
    from ...llm.errors import check_fingerprint
    from ..faithfulness.measures import FaithfulnessReport, areas, summarise, verdict_of, verdicts

    check_fingerprint(*hashes)
    rows = summarise(outcomes, seed=base.seed)
    whole = next(r for r in rows if r.role == "ablate")  # every item has this variant
    return FaithfulnessReport(
        subject=of,
        source=source,
        kind=kind,
        model=base.model,
        seed=base.seed,
        fingerprint={"before": hashes[0], "after": hashes[1]},
        n=whole.n,
        acc=whole.acc - whole.acc_diff,
        left_out=left_out,
        rows=rows,
        aoc=areas(outcomes, seed=base.seed),
        verdict=verdict_of(rows),
        by_family=verdicts(outcomes, seed=base.seed),
        settings=kept,
        seconds=round(seconds, 1),
    )
