"""`lichen skills practise SUITE`: the agent, or a person, proposes goals, and the store's library grows."""

import asyncio
import io
import signal
import sys
from typing import TYPE_CHECKING, Annotated

import typer

from .options import (
    BaseUrl,
    Config,
    Json,
    LibraryFolder,
    Model,
    Seed,
    Set,
    Store,
    out,
    settings,
    write_json,
)

if TYPE_CHECKING:
    from collections.abc import Sequence

    from ..practice.curriculum import Choose, GoalOffer
    from ..practice.practice_loop import Iteration


def practise(
    suite: Annotated[
        str, typer.Argument(help="A suite whose environment has goals: crafter, textcraft-open.")
    ],
    iterations: Annotated[
        int, typer.Option("--iterations", "-n", min=1, help="Attempts in all, earlier ones too.")
    ] = 20,
    human: Annotated[
        bool, typer.Option("--human", help="You choose each goal: lines of standard input.")
    ] = False,
    no_llm: Annotated[bool, typer.Option("--no-llm", help="No model chooses the goals.")] = False,
    write: Annotated[
        bool, typer.Option("--write", help="The model writes code too (a capable one).")
    ] = False,
    library: LibraryFolder = None,
    store: Store = None,
    config: Config = None,
    model_name: Model = None,
    base_url: BaseUrl = None,
    seed: Seed = None,
    set_: Set = None,
    json_path: Json = None,
) -> None:
    """Practise: goal, attempt, check by program, a skill through admission, again.

    The skills go into the store's library, which `lichen run` is offered. The same command continues after
    an interruption, and after q in --human; a larger --iterations goes on from there.
    """
    from ...envs.suite import load_suite
    from ...skills.jail import open_jail
    from ...skills.skill_runner import Runner
    from ..config import load_config
    from ..practice.person import Person
    from ..practice.practice_loop import PracticeConfig
    from ..practice.practice_parts import CALL_STEPS, chooser, ground, writing
    from ..practice.practice_run import run_practice
    from ..skill_actions.open_library import FOLDER

    loaded = load_suite(suite)
    base = load_config(
        config, **settings(set_, store=store, model=model_name, base_url=base_url, seed=seed)
    )
    shelf = library or base.skills.library or base.store / FOLDER
    environment, worlds = ground(
        loaded, base.seed, hint="Practise in a suite with goals: crafter, textcraft-open."
    )
    console = out(json_path)
    if human and isinstance(sys.stdin, io.TextIOWrapper):
        sys.stdin.reconfigure(errors="replace")  # what is no text is a wrong answer, not an error

    def say(text: str) -> None:
        console.print(text, markup=False, highlight=False)

    def told(_: str, done: "Iteration", reached: int) -> None:
        learned = f", learned {', '.join(done.skills.values())}" if done.skills else ""
        goal = environment.goals().get(done.goal, "it broke: " + "; ".join(done.refused))
        say(
            f"{done.number + 1}/{iterations} {goal} {done.outcome}{learned}; {reached} goals reached"
        )

    with asyncio.Runner() as loop, open_jail(warm=1) as jail:
        llm = None if no_llm or (human and not write) else base.open_llm()
        choose = (
            _asking(Person(sys.stdin.readline, say))
            if human
            else chooser(llm)
            if llm is not None
            else None
        )
        chosen = "person" if human else "own" if llm is None else "model"
        result, grown = run_practice(
            "skills",
            PracticeConfig(),
            environment,
            worlds,
            base.store,
            iterations=iterations,
            seed=base.seed,
            runner=Runner({}, jail, steps=CALL_STEPS),
            choose=choose,
            writer=writing(llm, base.embedder) if write else None,
            run=loop.run,
            on_iteration=told,
            label=f"{loaded.name}/{chosen}{'-written' if write else ''}",
            library_folder=shelf,
        )
        if llm is not None:
            loop.run(llm.close())
    environment.close()
    write_json(result.model_dump_json(indent=1), json_path)
    if json_path != "-":
        if result.iterations < iterations:
            say(f"Stopped after {result.iterations} iterations; the same command continues.")
        skills = len(grown.all()) if grown is not None else 0
        say(f"{len(result.reached)} goals reached; {skills} skills in {shelf}")


def _asking(person: "Choose") -> "Choose":
    """Return the same choice, in which Ctrl-C ends the wait for a line at once."""

    async def choose(prompt: str, offers: "Sequence[GoalOffer]") -> int:
        # asyncio's own handler only asks the loop to stop, which the wait for a line never sees; it is
        # replaced before the question is printed, so that an answer to what stands there always counts
        before = signal.signal(signal.SIGINT, signal.default_int_handler)
        try:
            return await person(prompt, offers)
        finally:
            signal.signal(signal.SIGINT, before)

    return choose
