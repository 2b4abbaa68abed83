"""Known decisions are folded from events, replayed alike, and forgotten with their episode."""

from pathlib import Path

from lichen.agent.acting.priors import UNKNOWN
from lichen.envs import make
from lichen.envs.types import Outcome
from lichen.memory.credit.channel_weights import CHANNELS, ChannelWeights
from lichen.memory.forgetting.forget import forget
from lichen.memory.kinds.channel_module import ChannelModule
from lichen.memory.ledger.events import (
    ChannelsWeighed,
    EpisodeEnded,
    EpisodeStarted,
    Event,
    Stepped,
)
from lichen.memory.ledger.ledger import Entry
from lichen.memory.likeness.embedder import HashingEmbedder
from lichen.memory.recall.case_memory import CaseMemory
from lichen.memory.store.demonstrations import from_gold, import_demonstrations
from lichen.memory.store.store import Store

ROW = dict.fromkeys(CHANNELS, 0.0)


def opened(folder: Path) -> Store:
    return Store(folder, embedder=HashingEmbedder(), clock=lambda: 0.0)


def weighed(step: int, *, right: bool, family: str = "find", llm: str = "m") -> ChannelsWeighed:
    """The model's first choice among four was the action, or another one."""
    first = (1.0, *{**ROW, "first": 1.0}.values())
    others = (3.0, *ROW.values())
    return ChannelsWeighed(
        step=step,
        env="alfworld-mini",
        family=family,
        llm=llm,
        learned=1,
        options=(first, others),
        taken=0 if right else 1,
    )


def weights(
    store: Store, family: str = "find", llm: str = "m", first: int | None = None
) -> ChannelWeights:
    memory = CaseMemory(store, first=first)
    return memory.weights(UNKNOWN, env="alfworld-mini", family=family, llm=llm)


def demonstrated(store: Store) -> list[str]:
    environment = make("alfworld-mini")
    ids = [task.id for task in environment.tasks("train")][:2]
    made = import_demonstrations(store, from_gold(environment, ids), run="gold")
    return [case.episode for case in made]


def asked(store: Store, episode: str, events: list[ChannelsWeighed]) -> None:
    store.append(
        [
            Entry(f"{episode}/weighed-{e.step}", "run", episode, e, origin="demonstration")
            for e in events
        ]
    )
    store.absorb()


def test_what_a_model_said_along_demonstrations_is_replayed_and_forgotten(tmp_path: Path) -> None:
    with opened(tmp_path) as store:
        one, two = demonstrated(store)
        asked(store, one, [weighed(0, right=True), weighed(1, right=True)])
        asked(store, two, [weighed(0, right=False), weighed(1, right=True)])
        known = weights(store)
        assert (known.right, known.known) == (3, 4)
        assert weights(store, family="other") == UNKNOWN.mean  # nothing is known there
        assert weights(store, llm="another") == UNKNOWN.mean
        assert weights(store, first=0) == UNKNOWN.mean  # a view from before
        assert weights(store, llm="").known == 4  # without a model, whoever was asked
        module = store.module(ChannelModule)
        assert module.weighed(env="alfworld-mini", llm="m", learned=1) == {one, two}
    with opened(tmp_path) as store:
        assert weights(store) == known
        whole = store.whole(two)
        assert whole is not None
        forget(store, whole.id, actor="person", cascade=True)
        left = weights(store)
        assert (left.right, left.known) == (2, 2)
    with opened(tmp_path) as store:
        assert weights(store) == left


def test_own_episodes_teach_by_how_they_ended(tmp_path: Path) -> None:
    def lived(store: Store, name: str, outcome: Outcome, *, learn: bool = True) -> None:
        score = float(outcome == "success")
        started = EpisodeStarted(
            env="alfworld-mini", family="find", split="train", task_id=name, goal="g", source="own"
        )
        stepped = Stepped(
            step=0,
            goal="g",
            text="t",
            inventory="",
            recent=(),
            action="look",
            observation="o",
            score_before=0.0,
            score_after=score,
        )
        ended = EpisodeEnded(outcome=outcome, score=score, steps=1, learn=learn)
        events: list[Event] = [started, weighed(0, right=True), stepped, ended]
        store.append([Entry(f"{name}/{n}", "run", name, event) for n, event in enumerate(events)])
        store.absorb()

    with opened(tmp_path) as store:
        lived(store, "evaluated", "success", learn=False)
        lived(store, "broken", "unknown")
        assert weights(store) == UNKNOWN.mean
        lived(store, "won", "success")
        won = weights(store)
        assert (won.right, won.known) == (1, 1)
        for number in range(12):
            lived(store, f"lost-{number}", "failure")
        lost = weights(store)
        assert lost.first < won.first and lost.known == 1  # nobody knows what would have been right
