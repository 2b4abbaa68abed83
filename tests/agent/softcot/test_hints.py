"""The agent's hints: the latent channel of `choose` and `chat`, the gate, and what forgetting takes."""

import shutil
from pathlib import Path
from typing import Any

import pytest
import torch

from lichen.agent.episode.recollection import NO_HITS
from lichen.agent.llm.frozen import Frozen
from lichen.agent.llm.thought import Mode
from lichen.agent.open_agent import OpenAgent
from lichen.agent.softcot import WrongModels
from lichen.agent.softcot.checkpoint import CARD, load, save
from lichen.agent.softcot.gate_record import (
    GATE,
    Contrast,
    FamilyGate,
    GateRecord,
    add_record,
)
from lichen.agent.softcot.hints import Hints
from lichen.agent.softcot.places import ASIDE, PREVIOUS, keep_previous
from lichen.agent.softcot.soft_config import FOLDER, HintConfig
from lichen.envs.suite import load_suite
from lichen.memory.forgetting.forget import forget
from lichen.memory.store.made_from import derived_from

from .conftest import copied, opened, parts_of


def opened_for(record: GateRecord, family: str, mode: Mode = "soft") -> GateRecord:
    """Return a measurement that says so, whatever was measured."""
    gate = FamilyGate(family=family, mode=mode, n=24, tasks=8)
    return record.model_copy(update={"families": (gate,)})


def test_a_shut_gate_asks_no_assistant_and_changes_no_decision(
    remembered: Path, tiny_folder: Path, tmp_path: Path
) -> None:
    store = copied(remembered, tmp_path)
    with opened(store, tiny_folder) as agent:
        task = next(iter(agent.environment(load_suite("alfworld-mini")).tasks("dev"))).id
        family = agent.environment(None, task).task(task).family
        shut = agent.run(task, max_steps=4)
        assert agent.hints.calls == 0 and agent.hints.record is None
        record = agent.wait(agent.hints.measure())
        assert {f.mode for f in record.families} == {"off"}  # too few tasks are left
        assert agent.hints.record == record
    add_record(store / FOLDER, opened_for(record, family))
    with opened(store, tiny_folder) as agent:
        thought = agent.run(task, max_steps=4)
        assert agent.hints.calls > 0 and shut.steps == thought.steps == 4
    add_record(store / FOLDER, opened_for(record, family, "verbal"))
    with opened(store, tiny_folder) as agent:
        agent.run(task, max_steps=2)
        assert agent.hints.calls == 2 and agent.usage.tokens_in > 0
    with OpenAgent.from_config(
        store=store, model=str(tiny_folder), embedder="hashing", softcot={"use": False}
    ) as agent:
        agent.run(task, max_steps=4)
        assert agent._hints is None


def test_a_gate_is_for_one_projection_and_one_memory(
    remembered: Path, tiny_folder: Path, tmp_path: Path
) -> None:
    store = copied(remembered, tmp_path)
    with opened(store, tiny_folder) as agent:
        step = next(iter(agent.store.steps.values()))

        def hints(**more: Any) -> Hints:
            config = agent.config.model_copy(update={"softcot": HintConfig(**more)})
            return Hints(config, agent.store, agent.llm)

        def silent(given: Hints) -> bool:
            return agent.wait(given.think(step.state, NO_HITS, family=step.family)).silent

        assert not agent.hints.due() and silent(hints())
        record = opened_for(agent.wait(agent.hints.measure()), step.family)
        add_record(store / FOLDER, record)
        assert not hints().due() and not silent(hints())
        fewer = record.model_copy(update={"successes": record.successes - 5})
        add_record(store / FOLDER, fewer)
        grown = hints()
        assert grown.due() and silent(grown)  # shut until it is measured again
        pinned = hints(folder=store / FOLDER)
        assert not pinned.due() and not silent(pinned)
        agent.wait(grown.keep_up())
        assert not grown.due() and silent(grown)
        gone = record.model_copy(update={"episodes": ("forgotten",)})
        add_record(store / FOLDER, gone)
        assert hints().due() and silent(hints())
        add_record(store / FOLDER, record.model_copy(update={"projection": "another"}))
        assert hints().record is None and silent(hints())
        add_record(store / FOLDER, record)
        (store / FOLDER / CARD).write_text("{")  # damage shuts it, and stops nothing
        damaged = hints()
        assert silent(damaged) and damaged.record is None
        (store / FOLDER / GATE).write_text("{")
        assert silent(hints()) and silent(hints())


def test_what_cannot_be_measured_shuts_the_gate_for_the_next_process_too(
    remembered: Path, tiny_folder: Path, tmp_path: Path
) -> None:
    store = copied(remembered, tmp_path)
    with opened(store, tiny_folder) as agent:
        record = agent.wait(agent.hints.measure())
        step = next(iter(agent.store.steps.values()))
        fewer = record.model_copy(update={"successes": record.successes - 5})
        add_record(store / FOLDER, opened_for(fewer, step.family))
        tiny = Frozen("tiny", *parts_of(tiny_folder))
        projection, card = load(store / FOLDER, tiny, tiny)
        changed = card.llm.model_copy(update={"weights": "0" * 64})
        save(store / FOLDER, projection, card.model_copy(update={"llm": changed}))
        hints = Hints(agent.config, agent.store, agent.llm)
        agent.wait(hints.keep_up())
        assert hints.record is not None and "is another" in hints.record.failed
        again = Hints(agent.config, agent.store, agent.llm)
        assert again.record == hints.record and not again.record.on


def test_forgetting_takes_the_projection_the_states_and_what_the_gate_was_measured_on(
    remembered: Path, tiny_folder: Path, tmp_path: Path
) -> None:
    store = copied(remembered, tmp_path)
    with opened(store, tiny_folder) as agent:
        agent.wait(agent.hints.measure())
        tiny = Frozen("tiny", *parts_of(tiny_folder))
        _, card = load(store / FOLDER, tiny, tiny)
        held = next(c for c in agent.store.episodes.values() if c.task_id not in card.tasks)
        took = [path.name for path in derived_from(store, held.episode)]
        assert "gate" in took and ("own" in took) == (held.episode in card.episodes)
        whole = next(c for c in agent.store.episodes.values() if c.task_id in card.tasks)
        said = forget(agent.store, whole.id, dry_run=True)
        assert "softcot/own" in said.derived
        forget(agent.store, whole.id, cascade=True)
        assert not (store / FOLDER).exists() and not (store / "softcot" / "states").exists()


def test_a_projection_of_a_forgotten_episode_is_not_used_wherever_it_came_from(
    remembered: Path, tiny_folder: Path, tmp_path: Path
) -> None:
    store = copied(remembered, tmp_path)
    with opened(store, tiny_folder) as agent:
        tiny = Frozen("tiny", *parts_of(tiny_folder))
        _, card = load(store / FOLDER, tiny, tiny)
        whole = next(c for c in agent.store.episodes.values() if c.task_id in card.tasks)
        shutil.copytree(store / FOLDER, tmp_path / "kept")
        forget(agent.store, whole.id, cascade=True)
        shutil.copytree(tmp_path / "kept", store / FOLDER)
        with pytest.raises(WrongModels, match="1 episodes that were forgotten"):
            agent.wait(agent.hints.measure())


def test_scripted_verdicts_put_the_previous_projection_back(
    remembered: Path, tiny_folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Scripted: a tiny model passes no gate by itself."""
    store = copied(remembered, tmp_path)
    tiny = Frozen("tiny", *parts_of(tiny_folder))
    projection, card = load(store / FOLDER, tiny, tiny)
    keep_previous(store / FOLDER)
    assert (store / "softcot" / PREVIOUS).exists() and not (store / FOLDER).exists()
    with torch.no_grad():
        projection.linear.weight.add_(1.0)
    save(store / FOLDER, projection, card.model_copy(update={"seed": 1}))
    honest, stop = Hints._measure, [True]

    def scripted(self: Hints, parts: Any, folder: Path, told: Any) -> GateRecord:
        record = honest(self, parts, folder, told)
        old = parts.card.seed == 0
        if old and stop[0]:
            raise KeyboardInterrupt
        gate = FamilyGate(
            family="x",
            mode="soft" if old else "off",
            n=24,
            soft=(Contrast(against="none", diff=0, ci95=(0, 0)),),
        )
        return record.model_copy(update={"families": (gate,)})

    monkeypatch.setattr(Hints, "_measure", scripted)
    with opened(store, tiny_folder) as agent:
        with pytest.raises(KeyboardInterrupt):
            agent.wait(agent.hints.measure())
        assert load(store / FOLDER, tiny, tiny)[1].seed == 1  # nothing was exchanged yet
        stop[0] = False
        record = agent.wait(agent.hints.measure())
        assert record.rolled_back
        assert load(store / FOLDER, tiny, tiny)[1].seed == 0
        assert load(store / "softcot" / ASIDE, tiny, tiny)[1].seed == 1
        assert Hints(agent.config, agent.store, agent.llm).record == record
