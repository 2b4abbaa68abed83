"""The arm `softcot`: one projection, trained on stage after stage; both models stay frozen.

The soft block stands before the last line of the policy's prompt, in training as in use.
"""

import time
from collections.abc import Sequence

import torch

from ...llm.local_llm import LocalLLM
from ...llm.protocol import LogProbs, Vectors
from ...llm.slots import for_assistant
from ...llm.soft_reader import SoftReader
from ...softcot.checkpoint import load
from ...softcot.projection import Projection
from ...softcot.soft_assistant import SoftAssistant
from ...softcot.soft_config import Example, TrainConfig
from ...softcot.train import Trainer
from .learner import Drift, Learner, StageLearned, StreamSetting
from .off_stream import drift, log_probs
from .stream import GoldDecision


class Thinker:
    """An assistant with its projection and the reader of what it thinks.

    Args:
        assistant: Of the frozen model that thinks.
        reader: Of the frozen LLM.
        projection: Trained.
        n: Soft thoughts.
    """

    def __init__(
        self, assistant: SoftAssistant, reader: SoftReader, projection: Projection, n: int
    ) -> None:
        self.assistant, self.reader, self.projection, self.n = assistant, reader, projection, n

    def thoughts(self, text: str) -> torch.Tensor:
        """Return the soft thoughts of a text, shape (n, d)."""
        with torch.no_grad():
            found: torch.Tensor = self.projection(self.assistant.states([text], self.n))[0]
        return found

    def read_by_assistant(self, text: str) -> int:
        """Return how many tokens the assistant reads for a text, kept states or not."""
        assistant = self.assistant
        return len(for_assistant(assistant.frozen, assistant.marks, text, self.n).ids)


class SoftLLM(LocalLLM):
    """The frozen LLM with soft thoughts before the last line of every prompt.

    Args:
        thinker: Where the thoughts come from.
    """

    def __init__(self, thinker: Thinker) -> None:
        llm = thinker.reader.llm
        super().__init__(llm.name, loaded=(llm.model, llm.tokenizer))
        self.thinker = thinker

    async def choose(
        self, prompt: str, options: Sequence[str], *, soft: Vectors | None = None
    ) -> LogProbs:
        """Return log p(option | prompt, soft thoughts); see `FrozenLLM.choose`."""
        thoughts = self.thinker.thoughts(prompt) if soft is None else soft
        self.usage.tokens_in += self.thinker.read_by_assistant(prompt)
        return await super().choose(prompt, options, soft=thoughts)


class SoftLearner(Learner):
    """SoftCoT: the assistant is the LLM itself, read once more.

    Args:
        setting: Shared by all arms of a run.
    """

    name = "softcot"
    says = "a trained projection of soft thoughts"
    learns = True

    def __init__(self, setting: StreamSetting) -> None:
        super().__init__(setting)
        self.assistant = SoftAssistant(setting.llm, setting.folder / "states")
        self.reader = SoftReader(setting.llm)
        self.projection: Projection | None = None

    @property
    def weights(self) -> int:
        """How many numbers gradients change."""
        return self.projection.parameters_count if self.projection is not None else 0

    def load(self, stage: int) -> None:
        """Take the projection of a stage; none before the first."""
        super().load(stage)
        llm = self.setting.llm
        self.projection = load(self.kept(stage), llm, llm)[0] if stage else None

    def learn(self, stage: int) -> StageLearned:
        """Go on training the projection on the decisions of a stage."""
        clock = time.perf_counter()
        dials = self.setting.learn
        examples = [_example(item) for item in self.setting.stream.learning[stage - 1]]
        trainer = Trainer(
            self.assistant,
            self.setting.llm,
            examples,
            config=TrainConfig(
                n=(dials.thoughts,),
                n_infer=dials.thoughts,
                epochs=dials.epochs,
                batch=dials.batch,
                lr=dials.soft_lr,
            ),
            seed=self.setting.seed,
            start=self.projection,
        )
        card = trainer.run(self.kept(stage))
        self.projection, self.stage = trainer.projection.eval(), stage
        thinker = self._thinker()
        thought = sum(thinker.read_by_assistant(e.assistant_sees) for e in examples)
        return StageLearned(
            targets=len(examples),
            steps=card.steps,
            tokens=card.tokens + thought,
            seconds=time.perf_counter() - clock,
            losses=card.losses,
        )

    def client(self) -> LocalLLM:
        """Return the LLM with thoughts in its prompts; alone before the first stage."""
        return SoftLLM(self._thinker()) if self.projection is not None else super().client()

    def drift(self) -> Drift:
        """Measure without a soft block, and with one before the text."""
        nothing = torch.zeros(0, self.setting.llm.d)
        silent = drift(self.setting.base, lambda text: self._predicts(text, nothing))
        if self.projection is None:
            return Drift(silent=silent)
        marks, n = self.reader.marks, self.setting.learn.thoughts
        block = [marks.begin, *[marks.placeholders[0]] * n, marks.end]

        def forced(text: str) -> torch.Tensor:
            return self._predicts(text, self.reader.embed(block, self._thinker().thoughts(text)))

        return Drift(silent=silent, forced=drift(self.setting.base, forced))

    def _predicts(self, text: str, front: torch.Tensor) -> torch.Tensor:
        llm = self.setting.llm
        return log_probs(llm.model, llm.ids(text), front)

    def _thinker(self) -> Thinker:
        assert self.projection is not None
        return Thinker(self.assistant, self.reader, self.projection, self.setting.learn.thoughts)


def _example(item: GoldDecision) -> Example:
    return Example(
        question=item.prompt,
        target=item.target,
        form="cue",
        family=item.family,
        episode=item.task_id,
    )
