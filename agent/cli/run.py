"""`lichen run`: run episodes of a suite, or one task, and learn."""

from collections import Counter
from collections.abc import Sequence
from typing import TYPE_CHECKING, Annotated, Any

import typer

from ...envs.errors import UsageError
from .options import (
    BaseUrl,
    Config,
    EnvOption,
    Json,
    Model,
    NoLlm,
    Seed,
    Set,
    Store,
    episode_progress,
    options_of,
    out,
    settings,
    write_json,
)

if TYPE_CHECKING:
    from rich.console import Console

    from ..config import AgentConfig
    from ..episode.run_episode import EpisodeResult
    from ..llm.protocol import Usage
    from ..open_agent import OpenAgent


_REASONS = 3
"""Kinds of reasons that are told."""


def run(
    suite: Annotated[str, typer.Argument(help="A suite (name or file), or one task id.")],
    episodes: Annotated[
        int | None,
        typer.Option("--episodes", "-n", help="How many training episodes. [default: the suite's]"),
    ] = None,
    no_llm: NoLlm = False,
    store: Store = None,
    config: Config = None,
    model: Model = None,
    base_url: BaseUrl = None,
    seed: Seed = None,
    set_: Set = None,
    option: EnvOption = None,
    json_path: Json = None,
) -> None:
    """Run training episodes of SUITE and learn from them; the same command continues after an interruption.

    The exit status is 1 where no outcome is known.

    With a task id (it has a slash and is no file, `twx/mapreader/test/3`) one episode is run and shown step
    by step, with memory and without learning.
    """
    from pathlib import Path

    from ...envs.registry import located, make
    from ...envs.suite import is_suite_file, load_suite
    from ..open_agent import OpenAgent

    if episodes is not None and episodes < 1:
        raise UsageError(f"{episodes} episodes cannot be run", hint="Ask for at least one.")
    single = "/" in suite and not Path(suite).exists() and not is_suite_file(suite)
    if option and not single:
        raise UsageError(
            "--option is for one task", hint="A suite's file has them as `env_options`."
        )
    options = settings(set_, no_llm=no_llm, store=store, model=model, base_url=base_url, seed=seed)
    if single:
        name, task = located(suite)
        make(name, **options_of(option)).task(task)  # a wrong name leaves no store behind
    loaded = None if single else load_suite(suite)
    with OpenAgent.from_config(config, **options) as agent:
        if loaded is None:
            _one(agent, suite, options_of(option), json_path)
            return
        with episode_progress() as progress:
            bar = progress.add_task("learning", total=episodes, success="", speed="")
            wins = [0, 0]

            def done(number: int, of: int, result: "EpisodeResult") -> None:
                wins[0] += result.outcome == "success"
                wins[1] += result.outcome != "unknown"
                usage = agent.usage
                rate = (usage.tokens_in + usage.tokens_out) / usage.seconds if usage.seconds else 0
                progress.update(
                    bar,
                    completed=number,
                    total=of,
                    success=f"success {wins[0]}/{wins[1]}",
                    speed=f"{rate:.0f} tokens/s",
                )

            report = agent.learn(loaded, episodes=episodes, progress=done)
        used = agent.usage.copy()
    console = out(json_path)
    unknown = [e for e in report.episodes if e.outcome == "unknown"]
    console.print(
        f"{len(report.episodes)} episodes ({report.resumed} were done before), success "
        f"{report.success:.2f}" + (f", {len(unknown)} unknown" if unknown else "")
    )
    _tell_reasons(unknown, console)
    console.print(
        f"the model did not change: fingerprint {report.fingerprint_after[:16]}"
        if report.fingerprint_after
        else "no model was asked"
    )
    _tell_usage(agent.config, used, console)
    write_json(report.model_dump(mode="json"), json_path)
    if len(unknown) == len(report.episodes):
        raise typer.Exit(1)


def _tell_reasons(unknown: "Sequence[EpisodeResult]", console: "Console") -> None:
    """Say why outcomes are unknown, the most frequent reasons first."""
    reasons = Counter(result.reason or "nothing says whether it was done" for result in unknown)
    for reason, count in reasons.most_common(_REASONS):
        console.print(f"{count} unknown: {reason}", markup=False, highlight=False)
    if len(reasons) > _REASONS:
        console.print(f"and {len(reasons) - _REASONS} other reasons")


def _tell_usage(config: "AgentConfig", used: "Usage", console: "Console") -> None:
    """Say what the model was used for, where it was."""
    from ..llm.prices import spent

    if used.calls:
        console.print(spent(used, config.model, config.prices))


def _one(
    agent: "OpenAgent", task_id: str, env_options: dict[str, object], json_path: str | None
) -> None:
    console = out(json_path)

    said: list[str] = []

    def show(node: str, change: dict[str, Any]) -> None:
        if node == "text":
            said.append(change["text"])
            console.print(change["text"], end="", style="dim", markup=False, highlight=False)
            return
        if said:
            said.clear()
            console.print()
        if node == "act":
            console.print(f"[bold]> {change['action']}[/bold]")
        elif node == "plan" and change.get("plan"):
            console.print("plan: " + "; ".join(change["plan"]), style="cyan")

    result: EpisodeResult = agent.run(task_id, env_options=env_options, on_event=show)
    console.print(
        f"{result.outcome}, score {result.score:.2f}, {result.steps} steps {result.reason}"
    )
    _tell_usage(agent.config, agent.usage, console)
    write_json(result.model_dump(mode="json"), json_path)
    if result.outcome == "unknown":
        raise typer.Exit(1)
