"""The certificate: that the model is frozen, and that memory leaves alone what it knows nothing of.

Four claims, each of which holds, does not hold, or was not measured, with the reason. Works on an open agent
whose store is the run's; knows nothing of the command line.
"""

import hashlib
import json
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, Literal, NamedTuple

from ....envs.errors import BadFile, LichenError
from ....envs.types import Record
from ....memory.ledger.events import RunEnded, RunStarted
from ....memory.recall.case_memory import CaseMemory
from ...llm.protocol import SteerableLLM
from ...open_agent import OpenAgent
from ..heldout.episode_row import EpisodeRow
from .anchor_pairs import Anchored, alone, compared, drift, with_memory
from .backward_transfer import Scored, kept

State = Literal["holds", "does not hold", "not measured"]


class Claim(Record):
    """One claim."""

    claim: str
    state: State
    says: str
    """What was found, or why nothing was and what to run."""
    numbers: dict[str, Any] = {}


class Certificate(Record):
    """All claims about one run."""

    run: str
    command: str
    suite: str
    model: str
    lines: tuple[Claim, ...]
    version: str
    machine: str
    time: str
    """When it was made, UTC, ISO 8601."""
    sha256: str = ""
    """Of the rest of it, as canonical JSON."""

    @property
    def holds(self) -> bool:
        """Whether nothing was found that does not hold."""
        return all(line.state != "does not hold" for line in self.lines)

    @property
    def digest(self) -> str:
        """SHA-256 over everything but `sha256`: JSON with sorted keys and no blanks."""
        said = self.model_dump(mode="json", exclude={"sha256"})
        text = json.dumps(said, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
        return hashlib.sha256(text.encode()).hexdigest()

    def sealed(self) -> "Certificate":
        """Return it with its hash."""
        return self.model_copy(update={"sha256": self.digest})


class RunRead(NamedTuple):
    """A run as the ledger and its rows have it."""

    id: str
    started: RunStarted
    ended: RunEnded | None
    rows: tuple[EpisodeRow, ...] = ()


def weights(run: RunRead, now: str) -> Claim:
    """Return whether the LLM is the one that the run began and ended with.

    Args:
        run: With the fingerprints of then.
        now: The fingerprint now; empty where the run asked no model.
    """
    claim = "the LLM's weights are the same at the start of the run, at its end, and now"
    before = run.started.fingerprint
    if not before:
        return Claim(claim=claim, state="not measured", says="the run asked no model")
    after = run.ended.fingerprint if run.ended else ""
    made = sorted({row.llm for row in run.rows if row.llm})
    numbers = {"start": before, "end": after, "now": now, "rows": made}
    others = [h for h in (after, now, *made) if h and h != before]
    if others:
        says = f"{before[:16]} at the start, and elsewhere {', '.join(h[:16] for h in others)}"
        return Claim(claim=claim, state="does not hold", says=says, numbers=numbers)
    if run.ended is None:
        says = "the run did not come to its end: the same command continues it"
        return Claim(claim=claim, state="not measured", says=says, numbers=numbers)
    says = f"SHA-256 {before[:16]}... over all weights, {len(run.rows)} rows made by it"
    return Claim(claim=claim, state="holds", says=says, numbers=numbers)


def projections(
    folders: Sequence[Path], model: str, opened: Callable[[str], Any], assistant: str | None
) -> Claim:
    """Return whether every trained projection is between the models as they are now.

    Args:
        folders: Of projections.
        model: Name of the run's LLM.
        opened: Opens a model by name (a `softcot.models.Frozen`).
        assistant: Name of the small model; the name in each card when None.
    """
    from ...softcot.checkpoint import read_card

    claim = "LLM and assistant of every trained projection are those it was trained between"
    if not folders:
        says = "there is no trained projection: `lichen softcot train`"
        return Claim(claim=claim, state="not measured", says=says)
    wrong, missing, numbers = list[str](), list[str](), dict[str, Any]()
    for folder in folders:
        try:
            card = read_card(folder)
        except BadFile as error:
            missing.append(f"{folder.name}: {error}")
            continue
        for what, wanted, name in (
            ("LLM", card.llm, model),
            ("assistant", card.assistant, assistant or card.assistant.name),
        ):
            try:
                found = opened(name).identity()
            except LichenError as error:
                missing.append(f"{folder.name}: {what} {name}: {error}")
                continue
            numbers[f"{folder}: {what}"] = {"then": wanted.weights, "now": found.weights}
            if part := wanted.differs(found):
                wrong.append(f"{folder.name}: the {part} of the {what} {name} is another")
    if wrong:
        says = "; ".join(wrong)
        return Claim(claim=claim, state="does not hold", says=says, numbers=numbers)
    if missing:
        says = "; ".join(missing)
        return Claim(claim=claim, state="not measured", says=says, numbers=numbers)
    says = f"{len(folders)} checked: weights, tokenizer, template, dtype"
    return Claim(claim=claim, state="holds", says=says, numbers=numbers)


async def silent_memory(agent: OpenAgent, env: str) -> Claim:
    """Return whether the agent with a silent memory gives the bits of the LLM alone.

    Memory is there and its gate shut: nothing is retrieved, no soft thought is given. Compared are the
    prompts, `choose`'s scores, the decisions, and the logits of the whole vocabulary over a continuation.
    """
    claim = "with memory and hints silent, anchors have the LLM's own prompts and, on this machine, its logits"
    if not agent.config.policy.llm:
        return Claim(claim=claim, state="not measured", says="the run asked no model")
    config = agent.config.retriever
    shut = config.model_copy(update={"floor": 1.0, "delta": 1.0})
    pairs = await compared(agent, env, with_memory(CaseMemory(agent.store, shut)), alone)
    numbers = _counts(pairs)
    bad = [pair.task_id for pair in pairs if not pair.same]
    if bad:
        says = f"{len(bad)} of {len(pairs)} anchors differ, {bad[0]} for one"
        return Claim(claim=claim, state="does not hold", says=says, numbers=numbers)
    if not isinstance(agent.llm, SteerableLLM):
        says = "prompts and decisions are equal; a server shows no logits: use a local model"
        return Claim(claim=claim, state="not measured", says=says, numbers=numbers)
    says = f"{len(pairs)} anchors: scores of every option and logits over the vocabulary are equal"
    return Claim(claim=claim, state="holds", says=says, numbers=numbers)


async def leakage(agent: OpenAgent, env: str) -> Claim:
    """Return whether this memory, as it reads, moves the agent on tasks that it knows nothing of.

    The drift is the mean over tokens of KL(pi(.|x, memory) || pi(.|x)) over the vocabulary; it must be 0.
    """
    claim = "off-task KL of the agent with this memory is exactly 0"
    if not agent.config.policy.llm:
        return Claim(claim=claim, state="not measured", says="the run asked no model")
    memory = CaseMemory(agent.store, agent.config.retriever)
    if not memory.size:
        says = "the memory is empty: learn first, with `lichen run` or `lichen eval`"
        return Claim(claim=claim, state="not measured", says=says)
    pairs = await compared(agent, env, with_memory(memory), alone)
    nats = [kl for pair in pairs if (kl := drift(pair)) is not None]
    mean = sum(nats) / len(nats) if nats else None
    leaked = [pair.task_id for pair in pairs if pair.retrieved or pair.moved]
    numbers = _counts(pairs) | {"kl_per_token": mean, "leaked": leaked, "cases": memory.size}
    if mean is None or any(not pair.same for pair in pairs):
        if mean is None and not leaked:
            says = "a server shows no logits: use a local model"
            return Claim(claim=claim, state="not measured", says=says, numbers=numbers)
        drifted = f", {mean:.3g} nats a token" if mean is not None else ""
        says = f"memory speaks on {len(leaked)} of {len(pairs)} anchors{drifted}"
        return Claim(claim=claim, state="does not hold", says=says, numbers=numbers)
    says = f"{mean:g} nats a token over {len(pairs)} anchors, {memory.size} episodes in memory"
    return Claim(claim=claim, state="holds", says=says, numbers=numbers)


def forgetting(results: Sequence[Scored], *, seed: int, tolerance: float) -> list[Claim]:
    """Return, for every arm with memory, whether it lost what it could at an earlier stage.

    Does not hold when the whole interval of the backward transfer is below 0, or the whole interval of the
    negative flips (the exact one) above the tolerance. Few items make wide intervals: the numbers say how many
    there were.

    Args:
        results: By stage.
        seed: Of the bootstrap.
        tolerance: Share of negative flips that is none.
    """
    found = kept(results, seed=seed)
    claim = "memory does not forget: backward transfer and negative flips"
    if not found:
        says = "no arm with memory at two checkpoints: `lichen eval SUITE --checkpoints 0,3,10`"
        return [Claim(claim=claim, state="not measured", says=says)]
    lines = []
    for arm in dict.fromkeys(one.arm for one in found):
        whole, *families = [one for one in found if one.arm == arm]
        lost = whole.bwt_ci95[1] < 0 or whole.nfr_exact95[0] > tolerance
        says = (
            f"BWT {whole.bwt:+.3f} [{whole.bwt_ci95[0]:+.3f}, {whole.bwt_ci95[1]:+.3f}] of {whole.n} tasks; "
            f"{len(whole.flipped)} of {whole.was_right} that were right are wrong: {whole.nfr:.3f} "
            f"[{whole.nfr_exact95[0]:.3f}, {whole.nfr_exact95[1]:.3f}]"
        )
        numbers = {"all": whole.model_dump(mode="json")} | {
            one.family: one.model_dump(mode="json") for one in families
        }
        state: State = "does not hold" if lost else "holds"
        lines.append(Claim(claim=f"{claim} ({arm})", state=state, says=says, numbers=numbers))
    return lines


def _counts(pairs: Sequence[Anchored]) -> dict[str, Any]:
    return {
        "anchors": len(pairs),
        "retrieved": sum(pair.retrieved for pair in pairs),
        "prompts_differ": sum(pair.prompts[0] != pair.prompts[1] for pair in pairs),
        "scores_differ": sum(not pair.scores_equal for pair in pairs),
        "decisions_differ": sum(pair.moved for pair in pairs),
        "logits_differ": sum(pair.logits_equal is False for pair in pairs),
    }
