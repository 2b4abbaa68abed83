"""`lichen bench`: speed, side by side in one run; exit 1 when the bar does not hold."""

from pathlib import Path
from typing import Annotated, Any

import typer
from rich.table import Table

from ....envs.errors import UsageError
from ...cli.options import DEFAULT, Json, Set, out, progress_console, settings, write_json

BenchSeed = Annotated[int, typer.Option("--seed", min=0, help="Seed of every random choice.")]


def choose(
    steps: Annotated[
        int, typer.Option("--steps", min=2, help="Decision points of the episode.")
    ] = 20,
    model: Annotated[str, typer.Option("--model", help="A local model.")] = "smollm2-135m",
    seed: BenchSeed = 0,
    json_path: Json = None,
) -> None:
    """Score actions in one pass over their token trie with a shared KV cache, and the naive way."""
    from ..bench.choice_speed import bench_choose

    _print(bench_choose(steps=steps, model=model, seed=seed), json_path)


def threads(
    steps: Annotated[int, typer.Option("--steps", min=1, help="Decisions to measure.")] = 6,
    seed: BenchSeed = 0,
    json_path: Json = None,
) -> None:
    """Time a decision alone and beside busy neighbours: threads that spin, that sleep, as many as are free."""
    from ..bench.thread_speed import bench_threads

    _print(bench_threads(steps=steps, seed=seed), json_path)


def step(
    cases: Annotated[int, typer.Option("--cases", min=1, help="Step cases in memory.")] = 10_000,
    steps: Annotated[int, typer.Option("--steps", min=1, help="Steps to measure.")] = 200,
    seed: BenchSeed = 0,
    json_path: Json = None,
) -> None:
    """Measure Lichen's own time per step, in parts, beside LangGraph's prebuilt agent."""
    from ..bench.step_speed import bench_step

    _print(bench_step(cases=cases, steps=steps, seed=seed, say=progress_console.print), json_path)


def softcot(
    source: Annotated[
        str, typer.Option("--source", help="As for `lichen softcot train`.")
    ] = "gold:alfworld-mini",
    examples: Annotated[int, typer.Option("--examples", min=1, help="Questions to train on.")] = 24,
    steps: Annotated[int, typer.Option("--steps", min=1, help="Steps of each side.")] = 18,
    model: Annotated[str, typer.Option("--model", help="A local model.")] = "smollm2-135m",
    seed: BenchSeed = 0,
    json_path: Json = None,
) -> None:
    """Train a projection with and without the caches of prompts and of the assistant's states."""
    from ..bench.softcot_speed import bench_softcot

    found = bench_softcot(
        source=source,
        examples=examples,
        steps=steps,
        model=model,
        seed=seed,
        say=lambda text: progress_console.print(text, highlight=False),
    )
    _print(found, json_path)


def concurrency(
    procs: Annotated[int, typer.Option("--procs", min=1, help="Processes that write at once.")] = 8,
    ops: Annotated[int, typer.Option("--ops", min=1, help="Writes of each.")] = 1000,
    json_path: Json = None,
) -> None:
    """Let several processes write one ledger, and count what is lost; beside it LangGraph's BaseStore."""
    from ..bench.concurrent_writers import bench_concurrency

    _print(bench_concurrency(procs=procs, ops=ops, say=progress_console.print), json_path)


def crash(
    kills: Annotated[int, typer.Option("--kills", min=1, help="Processes to kill.")] = 200,
    seed: BenchSeed = 0,
    json_path: Json = None,
) -> None:
    """Kill a process that learns, again and again; nothing acknowledged may be lost or damaged."""
    from ..bench.crash_kills import bench_crash

    _print(bench_crash(kills=kills, seed=seed, say=progress_console.print), json_path)


def retrieval(
    cases: Annotated[
        str, typer.Option("--cases", help="Whole cases in the stores, one or more numbers.")
    ] = "1000,10000,100000",
    queries: Annotated[
        int, typer.Option("--queries", min=1, help="Reads of each fast side at each size.")
    ] = 200,
    embedded: Annotated[
        int,
        typer.Option("--embedded", min=1, help="Goals embedded for real; the others' are mixed."),
    ] = 20_000,
    seed: BenchSeed = 0,
    json_path: Json = None,
) -> None:
    """Read from stores of several sizes, beside raw Chroma, LangGraph's InMemoryStore and LangMem."""
    from ..bench.retrieval_speed import bench_retrieval

    sizes = [int(part) if part.strip().isdigit() else 0 for part in cases.split(",")]
    if min(sizes) < 100:
        raise UsageError(f"--cases {cases!r} is not a list of numbers from 100 on, as 1000,10000")
    found = bench_retrieval(
        sizes=sizes, queries=queries, embedded=embedded, seed=seed, say=progress_console.print
    )
    _print(found, json_path)


def credit(
    fixed_groups: Annotated[
        bool,
        typer.Option(
            "--fixed-groups/--varying", help="Whether the same items are always recalled together."
        ),
    ] = True,
    holdout: Annotated[
        float, typer.Option("--holdout", min=0.01, max=0.9, help="Share that is held out.")
    ] = 0.25,
    seed: BenchSeed = 0,
    json_path: Json = None,
) -> None:
    """Recover known effects of memory items from outcomes, by three rules."""
    from ..bench.credit_accuracy import bench_credit

    found = bench_credit(holdout=holdout, fixed=fixed_groups, seed=seed, say=progress_console.print)
    _print(found, json_path)


def selection(
    episodes: Annotated[
        int, typer.Option("--episodes", min=100, help="Length of each stream.")
    ] = 2_000,
    seed: BenchSeed = 0,
    json_path: Json = None,
) -> None:
    """Recover effects that differ between kinds of task: one uplift for all, by kind, and its placebo."""
    from ..bench.credit_by_kind import bench_selection

    _print(bench_selection(episodes=episodes, seed=seed, say=progress_console.print), json_path)


def drift(
    each: Annotated[int, typer.Option("--each", min=8, help="Requests of each kind.")] = 40,
    seed: BenchSeed = 0,
    json_path: Json = None,
) -> None:
    """Change the rules of half of the kinds of request midway: with change points, without, and a placebo."""
    from ..bench.changing_rules import bench_drift

    _print(bench_drift(each=each, seed=seed, say=progress_console.print), json_path)


def harm(
    poison: Annotated[
        float, typer.Option("--poison", min=0, max=1, help="Share of wrong items.")
    ] = 0.3,
    episodes: Annotated[
        int, typer.Option("--episodes", min=10, help="Length, in the synthetic world.")
    ] = 16_000,
    suite: Annotated[
        str | None,
        typer.Option("--suite", help="Not synthetic: a real agent on this suite, name or file."),
    ] = None,
    family: Annotated[
        str | None, typer.Option("--family", help="Only this family of the suite.")
    ] = None,
    cases: Annotated[
        int, typer.Option("--cases", min=2, help="Demonstrations in memory at the start.")
    ] = 12,
    learn: Annotated[int, typer.Option("--learn", min=1, help="Episodes to learn from.")] = 60,
    tasks: Annotated[
        int, typer.Option("--tasks", min=1, help="Held-out tasks to measure on.")
    ] = 40,
    llm: Annotated[bool, typer.Option("--llm/--no-llm", help="Ask the frozen model.")] = True,
    store: Annotated[
        Path | None,
        typer.Option("--store", help="Folder of this bench. [default: .lichen/bench/harm-SUITE]"),
    ] = None,
    set_: Set = None,
    seed: BenchSeed = 0,
    json_path: Json = None,
) -> None:
    """Show what wrong items in memory do, with and without the gate: synthetic, or a real agent."""
    if suite is None:
        from ..bench.credit_accuracy import bench_harm

        found = bench_harm(poison=poison, episodes=episodes, seed=seed, say=progress_console.print)
        _print(found, json_path)
        return
    from ....envs.suite import load_suite
    from ..bench.poison import bench_poison

    chosen = load_suite(suite)
    if family is not None:
        chosen = chosen.model_copy(
            update={"families": (family,), "name": f"{chosen.name}-{family}"}
        )
    found = bench_poison(
        chosen,
        store or DEFAULT / "bench" / f"harm-{chosen.name}",
        poison=poison,
        cases=cases,
        learn=learn,
        tasks=tasks,
        llm=llm,
        seed=seed,
        say=progress_console.print,
        **{key: value for key, value in settings(set_).items() if key not in ("seed", "store")},
    )
    _print(found, json_path)


def _print(found: dict[str, Any], json_path: str | None) -> None:
    write_json(found, json_path)
    if json_path != "-":
        table = Table(title=f"bench {found['bench']}: {found['machine']}")
        names = list(dict.fromkeys(key for row in found["rows"] for key in row))
        for name in names:
            table.add_column(name, justify="left" if name == "what" else "right")
        for row in found["rows"]:
            table.add_row(*(_cell(row.get(name)) for name in names))
        console = out(json_path)
        console.print(table)
        ratio = "" if found["ratio"] is None else f"ratio {found['ratio']:.2f}; "
        console.print(ratio + ("holds" if found["holds"] else "does NOT hold"))
    if not found["holds"]:
        raise typer.Exit(1)


def _cell(value: Any) -> str:
    return f"{value:.2f}" if isinstance(value, float) else "" if value is None else str(value)


def library(
    kills: Annotated[int, typer.Option("--kills", min=1, help="Processes to kill.")] = 500,
    writers: Annotated[int, typer.Option("--writers", min=1, help="That write at once.")] = 3,
    seed: BenchSeed = 0,
    json_path: Json = None,
) -> None:
    """Kill processes that write the skill library; files must equal the commits, and the index the files."""
    from ..bench.library_kills import bench_library

    found = bench_library(kills=kills, writers=writers, seed=seed, say=progress_console.print)
    _print(found, json_path)


def jail(
    runs: Annotated[
        int, typer.Option("--runs", min=10, help="Measured starts of each kind.")
    ] = 100,
    json_path: Json = None,
) -> None:
    """Measure what a run in the jail costs: cold, and from a pool of waiting children."""
    from ..bench.jail_speed import bench_jail

    _print(bench_jail(runs=runs, say=progress_console.print), json_path)


def skills(
    library: Annotated[
        list[Path], typer.Option("--library", help="Folder of a skill library; repeatable.")
    ],
    queries: Annotated[
        int, typer.Option("--queries", min=1, help="Questions that have an answer.")
    ] = 400,
    half: Annotated[
        str,
        typer.Option("--half", help="odd: the reported half of the dev tasks; even: to tune on."),
    ] = "odd",
    seed: BenchSeed = 0,
    json_path: Json = None,
) -> None:
    """Ask a library for skills as held-out tasks need them; which are right is found by running them."""
    from ..bench.skill_retrieval import bench_skills

    if half not in ("odd", "even"):
        raise UsageError(f"--half {half!r} is neither odd nor even")
    found = bench_skills(
        library, queries=queries, odd=half == "odd", seed=seed, say=progress_console.print
    )
    _print(found, json_path)


def retention(
    library: Annotated[Path, typer.Option("--library", help="Folder of a skill library.")],
    add: Annotated[
        list[Path] | None,
        typer.Option("--add", help="Library to take skills from when induction finds no more."),
    ] = None,
    additions: Annotated[int, typer.Option("--additions", min=1, help="Skills to add.")] = 100,
    queries: Annotated[int, typer.Option("--queries", min=2, help="Questions asked twice.")] = 100,
    seed: BenchSeed = 0,
    json_path: Json = None,
) -> None:
    """Add skills to a copy of a library, and count which mastered tasks it still masters."""
    from ..bench.retention import bench_retention

    found = bench_retention(
        library,
        others=add or (),
        additions=additions,
        queries=queries,
        seed=seed,
        say=progress_console.print,
    )
    _print(found, json_path)
