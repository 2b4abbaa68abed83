"""The arm `memory`: the games of each stage become cases; the model and its prompt template stay."""

import time

import torch

from ....memory.credit.exposure import Exposer
from ....memory.ledger.records import Hits, State
from ....memory.likeness.embedder import open_embedder
from ....memory.recall.case_memory import CaseMemory
from ....memory.store.demonstrations import import_demonstrations
from ....memory.store.store import Store
from ...acting.policy import PolicyConfig
from ...acting.scoring_voice import act_prompt
from .learner import Drift, Learner, StageLearned, StreamSetting
from .off_stream import drift, log_probs
from .stream import GoldDecision

ELSEWHERE = "off-stream"
"""The environment that off-stream text is read in: none that anything was learned in."""


class MemoryLearner(Learner):
    """Case memory in a store of its own, read as an acting agent reads it.

    Args:
        setting: Shared by all arms of a run.
    """

    name = "memory"
    says = "frozen LLM with case memory"
    learns = True

    def __init__(self, setting: StreamSetting) -> None:
        super().__init__(setting)
        embedder = open_embedder(setting.embedder)
        self.store = Store(
            setting.folder / self.name,
            embedder=embedder,
            capacity=setting.retriever.capacity,
        )
        self.memory = self._view(0)

    def load(self, stage: int) -> None:
        """See only what the stages up to this one brought."""
        super().load(stage)
        self.memory = self._view(sum(map(len, self.setting.stream.shown[:stage])))

    def learn(self, stage: int) -> StageLearned:
        """Import the games of a stage."""
        clock = time.perf_counter()
        games = self.setting.stream.shown[stage - 1]
        import_demonstrations(self.store, games, run=f"stage-{stage}")
        self.store.settle()
        self.load(stage)
        learned = self.setting.stream.learning[stage - 1]
        self.hits(learned[0])  # the index takes new cases in at the first read
        return StageLearned(
            targets=len(learned),
            seconds=time.perf_counter() - clock,
        )

    def policy(self) -> PolicyConfig:
        """Both channels of memory: cases in the prompt, and the value of similar steps."""
        return self.setting.policy.model_copy(update={"context": True, "value": True})

    def hits(self, item: GoldDecision) -> Hits:
        """Read as the agent does, the do-no-harm gate included."""
        found = self.memory.read(
            item.state,
            env=item.seen.task.env,
            family=item.family,
            admissible=item.seen.admissible,
            task_id=item.task_id,
        )
        exposer = Exposer(
            self.memory.credit,
            self.memory.config.harm,
            0.0,
            seed=self.setting.seed,
            task_id=item.task_id,
            learn=False,
            kind=item.family,
        )
        return exposer.expose(found)

    def drift(self) -> Drift:
        """Read the memory for each anchor, and put what it finds before the text."""
        base = self.setting.base
        return Drift(
            silent=drift(base, lambda text: self._predicts(text, ELSEWHERE)),
            forced=drift(base, lambda text: self._predicts(text, self.setting.stream.env)),
        )

    def _predicts(self, text: str, env: str) -> torch.Tensor:
        state = State(goal=text, text=text)
        shown = self.memory.read(state, env=env).hits[: self.setting.policy.shown]
        llm = self.setting.llm
        if not shown:
            return log_probs(llm.model, llm.ids(text))
        said = act_prompt(State(goal="", text=""), shown, ())
        before = torch.tensor(llm.ids(said.rpartition("Now: ")[0]), device=llm.model.device)
        front = llm.model.get_input_embeddings()(before)
        return log_probs(llm.model, llm.ids(text), front)

    def close(self) -> None:
        """Close the store."""
        self.store.close()

    def _view(self, first: int) -> CaseMemory:
        return CaseMemory(self.store, self.setting.retriever, first=first)
