"""How GEPA (Agrawal et al. 2025, arXiv:2507.19457; library `gepa`) sees an agent and its playbook.

A candidate is one text, `playbook`, a rule a line; an example is a task. New texts are written by the
reflecting model from the episodes of a few tasks, and each new rule keeps which those were.
"""

from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from gepa.core.adapter import EvaluationBatch

from ..prompts.rendering import render
from .rollouts import Rollouts
from .rules import bullets_in

TEXT = "playbook"
MOST = 8
"""Rules of a playbook at most: it is read before every task."""
Write = Callable[[str], str]
"""Asks the reflecting model."""


class PlaybookAdapter:
    """Runs candidates and writes new ones.

    Args:
        rollouts: Runs the episodes.
        write: Asks the reflecting model.
        sources: Task -> episodes of the ledger that it is known from.
    """

    def __init__(
        self, rollouts: Rollouts, write: Write, sources: Mapping[str, Sequence[str]]
    ) -> None:
        self._rollouts, self._write, self._sources = rollouts, write, sources
        self._shown: list[tuple[str, str]] = []
        """(task, episode) pairs that the next new text is written from."""
        self.evidence: defaultdict[str, list[str]] = defaultdict(list)
        """Rule -> episodes that it was written from."""

    def evaluate(
        self, batch: list[str], candidate: dict[str, str], capture_traces: bool = False
    ) -> EvaluationBatch[dict[str, Any], dict[str, Any]]:
        """Run tasks with a candidate; see `gepa.GEPAAdapter`."""
        rules = candidate[TEXT].splitlines()
        results = [self._rollouts.play(task, rules) for task in batch]
        found = [{"task": r.task_id, "episode": r.episode, "score": r.score} for r in results]
        return EvaluationBatch(
            outputs=found,
            scores=[result.score for result in results],
            trajectories=[
                {**one, "lines": self._rollouts.lines(result)}
                for one, result in zip(found, results, strict=True)
            ]
            if capture_traces
            else None,
        )

    def make_reflective_dataset(
        self,
        candidate: dict[str, str],
        eval_batch: EvaluationBatch[dict[str, Any], dict[str, Any]],
        components_to_update: list[str],
    ) -> Mapping[str, Sequence[Mapping[str, Any]]]:
        """Return the episodes of a batch for the reflecting model."""
        return {TEXT: list(eval_batch.trajectories or ())}

    def propose_new_texts(
        self,
        candidate: dict[str, str],
        reflective_dataset: Mapping[str, Sequence[Mapping[str, Any]]],
        components_to_update: list[str],
    ) -> dict[str, str]:
        """Return a new candidate that the reflecting model wrote; the old one where it wrote none."""
        old = candidate[TEXT].splitlines()
        episodes = reflective_dataset[TEXT]
        said = render(
            "reflect", bullets=old, episodes=[one["lines"] for one in episodes], most=MOST
        )
        rules = bullets_in(self._write(said), MOST)
        for rule in rules:
            if rule in old:
                continue
            for one in episodes:
                known = [one["episode"], *self._sources.get(one["task"], ())]
                self.evidence[rule] += [e for e in known if e not in self.evidence[rule]]
        return {TEXT: "\n".join(rules or old)}
