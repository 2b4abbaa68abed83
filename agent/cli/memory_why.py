"""`lichen memory why`: what was considered at a decision, what was shown, and what it is worth."""

from typing import TYPE_CHECKING, Annotated

import typer
from rich.table import Table
from rich.text import Text

from ...memory.credit.channel_weights import CHANNELS
from ..palette import SPEAKER, TONES
from .options import DEFAULT, Json, Store, out, row, write_json

if TYPE_CHECKING:
    from rich.console import Console

    from ...memory.credit.channel_weights import ChannelWeights
    from ...memory.forgetting.why import Trust, Why


def why(
    run: Annotated[
        str, typer.Argument(metavar="RUN", help="Id of an episode or a run, or its beginning.")
    ],
    step: Annotated[
        int | None, typer.Argument(metavar="[STEP]", help="Step number, from 0; all without it.")
    ] = None,
    store: Store = None,
    json_path: Json = None,
) -> None:
    """Say why the agent did what it did: every considered item, exposed or not, and what it is worth."""
    from ...memory.forgetting.why import explain, explain_all, trust
    from ...memory.ledger.errors import UnknownCase
    from ...memory.store.store import Store as Opened
    from ..acting.priors import prior_of

    with Opened(store or DEFAULT, read_only=True) as opened:
        found = list(explain_all(opened, run)) if step is None else [explain(opened, run, step)]
        known = trust(opened, found[0].episode, prior_of) if found else None
    if not found:
        raise UnknownCase(f"no recorded episode or run has an id that begins with {run!r}")
    weights = known.weights if known is not None else None
    said = {
        "trust": weights.model_dump(mode="json") if weights is not None else None,
        "playbook": known.rules if known is not None else (),
    }
    write_json(
        {**found[0].model_dump(mode="json"), **said}
        if step is not None
        else {"steps": [one.model_dump(mode="json") for one in found], **said},
        json_path,
    )
    if json_path != "-":
        if known is not None:
            out(json_path).print(_trusted(known), markup=False, highlight=False)
        for one in found:
            _print(one, weights, out(json_path))


def _trusted(known: "Trust") -> str:
    """Return in words how far model and memory are trusted."""
    weights, lines = known.weights, []
    if not weights.known:
        lines.append(
            f"Nothing is known yet of decisions in {known.env}: a model is trusted as it is."
        )
    else:
        if known.model:
            lines.append(
                f"In {known.env} the first choice of {known.model} was right in {weights.right} of "
                f"{weights.known} known decisions; with memory the policy was right in "
                f"{weights.right_with_memory}."
            )
        else:
            lines.append(
                f"In {known.env} memory alone was right in {weights.right_with_memory} of "
                f"{weights.known} known decisions."
            )
        if weights.speaks == "model":
            lines.append("Memory was not seen to make it better: it does not weigh in.")
        elif weights.speaks == "memory":
            lines.append("The model was not seen to make memory better: it is not asked.")
    named = (f"{name} {value:.2f}" for name, value in zip(CHANNELS, weights.vector, strict=True))
    lines.append(f"Weights in nats: {', '.join(named)}.")
    lines += [f"The model had read this rule of the playbook: {rule}" for rule in known.rules]
    return "\n".join(lines)


def _print(answer: "Why", weights: "ChannelWeights | None", console: "Console") -> None:
    console.print(f"{answer.episode}, step {answer.step}: {answer.goal}", markup=False)
    console.print(f"saw: {answer.text}", markup=False, highlight=False)
    kl = "" if answer.kl is None else f"   KL from the frozen model {answer.kl:.2f} nats"
    refused = f"   refused: {answer.error}" if answer.error else ""
    console.print(f"did: {answer.action}{refused}{kl}", style="bold", markup=False)
    if weights is not None and answer.said is not None:
        nats = zip(CHANNELS, weights.vector, strict=True)
        spoke = {name: float(weight) * answer.said[name] for name, weight in nats}
        shares = [
            Text(f"{name} {value:+.2f}", style=TONES[SPEAKER[name]].terminal)
            for name, value in spoke.items()
            if abs(value) >= 0.005
        ]
        console.print("for it, in nats: ", end="", highlight=False)
        console.print(Text(", ").join(shares) if shares else "nothing", highlight=False)
    for read in answer.reads:
        if not read.items:
            console.print(
                f"The memory abstained: none of {read.considered} {read.grain} was near enough."
            )
            continue
        shown = sum(item.shown for item in read.items)
        table = Table(title=f"{shown} of {read.considered} considered {read.grain} were exposed")
        for name in ("case", "read", "worth", "what it did"):
            table.add_column(name)
        for item in read.items:
            near = "" if item.similarity is None else f"near {item.similarity:.2f}, "
            known, outcomes = item.uplift, item.outcomes
            uplift = (
                f"uplift {known.mean:+.2f} [{known.low:+.2f}, {known.high:+.2f}]; score "
                f"{_mean(outcomes.shown_score)} in {outcomes.shown} shown, "
                f"{_mean(outcomes.held_score)} in {outcomes.held} held out"
                if known.n
                else "uplift not known"
            )
            gain = "" if item.gain is None else f"gain {item.gain:+.2f}; "
            row(
                table,
                f"{item.case}\n{item.trust}, {item.source}",
                f"{near}shown with {item.propensity:.2f}\n{item.reason}",
                f"{gain}{uplift}",
                f"{item.action}\n{item.task_id}".strip(),
                style=None if item.shown else "dim",
            )
        console.print(table)


def _mean(value: float | None) -> str:
    return "-" if value is None else f"{value:.2f}"
