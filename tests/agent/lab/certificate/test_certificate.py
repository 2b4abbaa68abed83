"""The certificate: it holds for a frozen model and a quiet memory, and not for any other."""

import json
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import torch

from lichen.agent.lab.certificate.anchor_tasks import ANCHORS, FAMILY, AnchorEnvironment
from lichen.agent.lab.certificate.backward_transfer import kept, scored
from lichen.agent.lab.certificate.certificate import (
    Certificate,
    forgetting,
    leakage,
    projections,
    silent_memory,
)
from lichen.agent.lab.commands.certify import certify_command
from lichen.agent.lab.heldout.episode_row import EpisodeRow
from lichen.agent.lab.heldout.heldout_run import HeldOutPlan, evaluate
from lichen.agent.lab.heldout.policy_arms import find_arms
from lichen.agent.llm.frozen import Frozen, open_frozen
from lichen.agent.llm.local_llm import LocalLLM
from lichen.agent.llm.thought import Thought
from lichen.agent.open_agent import OpenAgent
from lichen.agent.softcot import Example, TrainConfig
from lichen.agent.softcot.soft_assistant import SoftAssistant
from lichen.agent.softcot.train import Trainer
from lichen.envs import UsageError, load_suite
from lichen.memory.ledger.ledger import open_ledger

ENV = "alfworld-mini"


def lichen(*words: object) -> subprocess.CompletedProcess[str]:
    """Run `lichen certify`."""
    command = [sys.executable, "-m", "lichen.agent", "certify", *map(str, words)]
    return subprocess.run(command, capture_output=True, text=True, timeout=120)


@pytest.fixture(scope="module")
def evaluated(tmp_path_factory: pytest.TempPathFactory, tiny_folder: Path) -> Path:
    """The folder of a small evaluation with the tiny model."""
    folder = tmp_path_factory.mktemp("evaluated")
    plan = HeldOutPlan(
        suite=load_suite(ENV).model_copy(update={"max_steps": 6}),
        arms=tuple(find_arms(["none", "memory"])),
        checkpoints=(0, 2, 4),
        learn="demonstrations",
        split="test",
        tasks=2,
        seed=0,
    )
    # at the default gate one word that an anchor shares with a room is enough for a hit
    with OpenAgent.from_config(
        store=folder, embedder="hashing", model=str(tiny_folder), retriever={"floor": 0.3}
    ) as agent:
        evaluate(agent, plan, folder)
    return folder


@pytest.fixture
def agent(evaluated: Path, tiny_folder: Path) -> Iterator[OpenAgent]:
    """An agent over that evaluation's memory."""
    with OpenAgent.from_config(
        store=evaluated, embedder="hashing", model=str(tiny_folder), retriever={"floor": 0.3}
    ) as found:
        yield found


def test_it_holds_and_says_what_was_not_measured(evaluated: Path) -> None:
    before = open_ledger(evaluated).head()
    kept = evaluated / "softcot" / "own-previous"  # in use by nobody
    kept.mkdir(parents=True)
    (kept / "softcot.json").write_text("torn")
    done = lichen(evaluated)
    assert done.returncode == 0, done.stderr + done.stdout
    assert open_ledger(evaluated).head() == before  # a check is no experience
    text = (evaluated / "certificate.json").read_text()
    made = Certificate.model_validate_json(text)
    assert [line.state for line in made.lines] == ["holds", "not measured", *["holds"] * 3]
    assert made.sha256 == made.digest
    assert made.model_copy(update={"model": "another"}).digest != made.sha256
    assert "no trained projection" in made.lines[1].says
    shut, read = made.lines[2].numbers, made.lines[3].numbers
    assert shut["anchors"] == len(ANCHORS) == 20 and shut["logits_differ"] == 0
    assert read["kl_per_token"] == 0.0 and read["cases"] == 4
    assert "1 of 5 claims were not measured" in done.stdout
    by_id = lichen(made.run, "--store", evaluated, "--json", "-")
    assert by_id.returncode == 0, by_id.stderr
    lines = json.loads(by_id.stdout)["lines"]
    assert lines[0]["state"] == "holds" and "no arm with memory" in lines[-1]["says"]


def test_a_changed_weight_does_not_hold(
    evaluated: Path, tiny_folder: Path, tiny: Frozen, tmp_path: Path
) -> None:
    from transformers import AutoModelForCausalLM

    model: Any = AutoModelForCausalLM.from_pretrained(tiny_folder)
    with torch.no_grad():
        model.model.norm.weight[0] += 1e-3
    model.save_pretrained(tmp_path / "other")
    tiny.tokenizer.save_pretrained(tmp_path / "other")
    done = lichen(evaluated, "--model", tmp_path / "other", "--json", tmp_path / "made.json")
    assert done.returncode == 1 and "DOES NOT HOLD" in done.stdout
    made = Certificate.model_validate_json((tmp_path / "made.json").read_text())
    assert made.lines[0].state == "does not hold"
    assert made.lines[0].numbers["now"] != made.lines[0].numbers["start"]


def test_a_memory_that_speaks_on_anchors_does_not_hold(evaluated: Path, tiny_folder: Path) -> None:
    open_gate = {"floor": 0.0}
    with OpenAgent.from_config(
        store=evaluated, embedder="hashing", model=str(tiny_folder), retriever=open_gate
    ) as agent:
        found = agent.wait(leakage(agent, ENV))
        assert found.state == "does not hold", found
        assert found.numbers["kl_per_token"] > 0 and found.numbers["retrieved"] == 20
        quiet = agent.wait(silent_memory(agent, ENV))  # shut, the same memory changes nothing
        assert quiet.state == "holds" and quiet.numbers["retrieved"] == 0


def test_a_hint_on_anchors_does_not_hold(agent: OpenAgent, monkeypatch: pytest.MonkeyPatch) -> None:
    whole = agent.parts

    class Talks:
        chat = False

        async def think(self, state: object, hits: object, *, family: str) -> Thought:
            return Thought(words="take the apple")

    def parts(*words: Any, hints: bool = True, **more: Any) -> Any:
        made = whole(*words, hints=hints, **more)
        return replace(made, assistant=Talks()) if hints else made

    monkeypatch.setattr(agent, "parts", parts)
    found = agent.wait(leakage(agent, ENV))
    assert found.state == "does not hold" and found.numbers["kl_per_token"] > 0
    assert agent.wait(silent_memory(agent, ENV)).state == "does not hold"


async def test_logits_of_a_continuation_are_those_of_the_whole_text(tiny_folder: Path) -> None:
    llm = LocalLLM(str(tiny_folder))
    found = await llm.logits("One two", " three four")
    again = await llm.logits("One two", " three four")
    assert found.shape == (2, 49152) and torch.equal(found, again)
    scores = await llm.choose("One two", [" three"])
    assert scores[0] == pytest.approx(
        float(found[0].log_softmax(-1)[llm._ids(" three", add_special=False)[0]]), abs=1e-4
    )
    await llm.close()


def test_a_projection_between_other_models_does_not_hold(
    tmp_path: Path, tiny: Frozen, tiny_folder: Path, secrets: list[Example]
) -> None:
    config = TrainConfig(n=(2,), epochs=1, batch=8)
    Trainer(SoftAssistant(tiny), tiny, secrets, config=config).run(tmp_path / "own")
    name = str(tiny_folder)
    held = projections([tmp_path / "own"], name, lambda _: tiny, None)
    assert held.state == "holds" and "1 checked" in held.says
    other = open_frozen(name)
    with torch.no_grad():
        other.model.model.norm.weight[0] += 1e-3
    wrong = projections([tmp_path / "own"], name, lambda _: other, None)
    assert wrong.state == "does not hold" and "weights of the LLM" in wrong.says
    (tmp_path / "torn").mkdir()
    (tmp_path / "torn" / "softcot.json").write_text("torn")
    torn = projections([tmp_path / "torn", tmp_path / "own"], name, lambda _: tiny, None)
    assert torn.state == "not measured" and "is damaged" in torn.says


def result(arm: str, point: int, task: str, right: bool) -> EpisodeRow:
    return EpisodeRow.model_validate(
        {
            "arm": arm,
            "checkpoint": point,
            "task_id": task,
            "family": task[0],
            "outcome": "success" if right else "failure",
            "score": float(right),
            "steps": 1,
            "tokens_in": 0,
            "tokens_out": 0,
            "seconds": 0.0,
            "kl": None,
        }
    )


def test_backward_transfer_and_negative_flips_by_hand() -> None:
    rows = [result("memory", 3, f"a{i}", i > 0) for i in range(4)]
    rows += [result("memory", 10, f"a{i}", i < 2) for i in range(4)]
    rows += [result("memory", p, "b0", True) for p in (3, 10)]
    rows += [result(arm, p, "a9", p == 3) for arm in ("none", "placebo") for p in (3, 10)]
    whole, a, b = kept(scored(rows), seed=0)
    assert (whole.n, whole.was_right, whole.flipped) == (5, 4, ("a2", "a3"))
    assert whole.bwt == pytest.approx((1 + 0 - 1 - 1 + 0) / 5) and whole.nfr == 0.5
    assert whole.bwt_ci95[0] < 0 < whole.bwt_ci95[1]
    assert (a.family, b.bwt, b.flipped) == ("a", 0.0, ())
    assert a.nfr == pytest.approx(2 / 3)
    assert b.nfr_ci95 == (0.0, 0.0) and b.nfr_exact95[1] > 0.9  # one item proves nothing
    (line,) = forgetting(scored(rows), seed=0, tolerance=0.01)
    assert line.state == "does not hold" and "2 of 4" in line.says
    assert forgetting(scored(rows), seed=0, tolerance=0.3)[0].state == "holds"
    assert forgetting([], seed=0, tolerance=0.01)[0].state == "not measured"
    lost = [result("memory", p, f"a{i}", p == 3) for p in (3, 10) for i in range(9)]
    assert forgetting(scored(lost), seed=0, tolerance=0.01)[0].state == "does not hold"


def test_unknown_runs_are_one_sentence(tmp_path: Path, evaluated: Path) -> None:
    for run, store, said in (
        ("nothing", tmp_path, "neither a folder nothing nor a store"),
        (str(tmp_path), None, "holds no evaluation"),
        ("zzz", evaluated, "there is no run 'zzz'"),
    ):
        with pytest.raises(UsageError, match=said):
            certify_command(run, store=store)
    done = lichen("nothing", "--store", tmp_path)
    assert done.returncode == 2 and "Traceback" not in done.stderr


def test_anchors_differ_and_are_questions_of_one_decision() -> None:
    environment = AnchorEnvironment("x")
    tasks = environment.tasks("test", [FAMILY])
    assert len({environment.reset(t.id).goal for t in tasks}) == 20
    assert environment.tasks("train") == () and environment.task(tasks[0].id).env == "x"
    assert all(len(set(a.options)) == 4 and a.reference for a in ANCHORS)
    with pytest.raises(UsageError):
        environment.step("Lisbon")
