"""Agents that call tools: candidate calls and free ones, durable subtasks, ablation arms, commands."""

import json
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

import pytest

from lichen.agent.acting.free_calls import Caller
from lichen.agent.lab.heldout.heldout_run import HeldOutPlan, evaluate
from lichen.agent.lab.heldout.policy_arms import find_arms
from lichen.agent.llm import ScriptedLLM
from lichen.agent.llm.local_llm import LocalLLM
from lichen.agent.open_agent import OpenAgent
from lichen.envs import Functions, Request, Tool, UsageError, load_suite, make
from lichen.memory.ledger.events import (
    EpisodeEnded,
    Judged,
    Planned,
    Recalled,
    Stepped,
    SubtaskEnded,
)
from lichen.memory.ledger.records import Hits
from lichen.memory.store.demonstrations import from_gold, import_demonstrations

LICHEN = [sys.executable, "-m", "lichen.agent"]
NO_HITS = Hits(hits=(), considered=0, abstained=True)


def agent(folder: Path, llm: object = None, **options: object) -> OpenAgent:
    return OpenAgent.from_config(store=folder, embedder="hashing", llm=llm, **options)  # type: ignore[arg-type]


def lichen(*arguments: object) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [*LICHEN, *map(str, arguments)], capture_output=True, text=True, timeout=120
    )


def add(a: int, b: int) -> int:
    """Add two numbers, but no unlucky one."""
    if a == 13:
        raise ValueError("13 is unlucky")
    return a + b


def sums() -> Functions:
    requests = [
        Request(f"{a}-{b}", f"What is {a} plus {b}?", lambda answer, s=a + b: str(s) == answer)  # type: ignore[misc]
        for a, b in ((3, 4), (20, 5), (7, 9))
    ]
    return Functions("sums", [Tool(add)], requests)


def taught(folder: Path) -> None:
    """Remember two conversations of adding; the third is there to be solved."""
    with agent(folder, policy={"llm": False}) as learner:
        environment = sums()
        found = []
        for task, call, answer in (("3-4", "add(a=3, b=4)", "7"), ("20-5", "add(a=20, b=5)", "25")):
            environment.gold = lambda c=call, a=answer: (c, f"finish(answer='{a}')")  # type: ignore[method-assign,misc]
            found += list(from_gold(environment, [f"sums/{task}"]))
        import_demonstrations(learner.store, found, run="x")


def test_an_agent_learns_to_call_functions_of_the_callers_from_two_demonstrations(
    tmp_path: Path,
) -> None:
    taught(tmp_path)
    with agent(tmp_path, policy={"llm": False}) as knn:
        knn.add(sums())
        result = knn.run("sums/7-9")
        calls = [
            row.event
            for row in knn.store.ledger.read(episode=result.episode)
            if isinstance(row.event, Stepped)
        ]
        took = knn.store.ledger.timings()
        with pytest.raises(UsageError, match="already"):
            knn.add(sums())
    assert (result.outcome, result.actions) == ("success", ("add(a=7, b=9)", "finish(answer='16')"))
    assert calls[0].call is not None and calls[0].call.arguments == {"a": 7, "b": 9}
    assert calls[0].request and f"{result.episode}/step-0" in took


def test_the_small_model_itself_chooses_among_candidate_calls(
    smollm2: LocalLLM, tmp_path: Path
) -> None:
    taught(tmp_path)
    with agent(tmp_path, smollm2, policy={"margin": 50.0, "candidates": 6}) as run:
        run.add(sums())
        result = run.run("sums/7-9", max_steps=3)
    assert result.outcome in ("success", "failure") and result.kl is not None
    assert all(action.startswith(("add(", "finish(")) for action in result.actions)


async def test_the_small_model_itself_writes_a_call_that_can_be_read(smollm2: LocalLLM) -> None:
    environment = sums()
    seen = environment.reset("sums/7-9")
    action = await Caller(smollm2).decide(seen, environment.tools(), NO_HITS, None)
    assert environment.call(action).tool in ("add", "finish")


def test_recorded_free_calls_are_warned_of_a_known_failure_before_they_are_made(
    tmp_path: Path,
) -> None:
    taught(tmp_path)
    environment = sums()
    environment.gold = lambda: ("add(a=13, b=1)", "finish(answer='no')")  # type: ignore[method-assign]
    with agent(tmp_path, policy={"llm": False}) as learner:
        import_demonstrations(learner.store, from_gold(environment, ["sums/3-4"]), run="y")
    replies = [
        '{"tool": "add", "arguments": {"a": 13, "b": 1}}',
        '{"tool": "add", "arguments": {"a": 7, "b": 9}}',
        '{"tool": "finish", "arguments": {"answer": "16"}}',
    ]
    llm = ScriptedLLM(replies)
    with agent(tmp_path, llm, policy={"calls": "free"}) as run:
        run.add(sums())
        result = run.run("sums/7-9")
    assert (result.outcome, result.steps) == ("success", 2)
    assert "Beware" in llm.prompts[1] and "add was about to be called" in llm.prompts[1]
    assert "For a like request" in llm.prompts[0]


def test_recorded_subtasks_are_durable_and_a_new_plan_is_shown_what_worked_elsewhere(
    tmp_path: Path,
) -> None:
    environment = make("alfworld-mini")
    train = [t.id for t in environment.tasks("train") if "simple" in t.id]
    test = next(t.id for t in environment.tasks("test") if "simple" in t.id)

    def following(task: str) -> object:
        environment.reset(task)
        gold, turn = list(environment.gold() or ()), [0]

        def follow(prompt: str, options: Sequence[str]) -> list[float]:
            wanted = gold[turn[0]] if turn[0] < len(gold) else ""
            turn[0] += any(option.strip() == wanted for option in options)
            return [0.0 if option.strip() == wanted else -30.0 for option in options]

        return follow

    def verdict(status: str) -> str:
        return json.dumps({"status": status, "critique": f"it is {status}"})

    replies = ['{"subtasks": ["find it", "store it"]}', verdict("done"), verdict("stuck")]
    replies += ['{"subtasks": ["try again", "put it in"]}'] + [verdict("going")] * 10
    dials = {
        "margin": 50,
        "candidates": 99,
        "novelty": 0,
        "value": False,
        "explore": {"temperature": 0, "optimism": 0},
    }
    options = {"planner": "plan", "policy": dials, "retriever": {"delta": 0.0, "holdout": 0.0}}
    suite = load_suite("alfworld-mini")
    learned = suite.task_ids("train", 1)[0]
    with agent(tmp_path, ScriptedLLM(replies, choose=following(learned)), **options) as run:  # type: ignore[arg-type]
        run.learn("alfworld-mini", episodes=1)
        ended = [r.event for r in run.store.ledger.read() if isinstance(r.event, SubtaskEnded)]
        kept = list(run.store.subtasks.values())
    assert train and [(e.text, e.outcome, e.judge) for e in ended[:2]] == [
        ("find it", "success", "critic"),
        ("store it", "failure", "critic"),
    ]
    assert (ended[-1].text, ended[-1].attempt, ended[-1].judge) == ("try again", 1, "environment")
    assert [c.text for c in kept] == ["find it", "store it", "try again"]
    assert [c.attempt for c in kept] == [0, 0, 1] and all(c.actions for c in kept)
    replies = ['{"subtasks": ["find it", "store it"]}'] + [verdict("stuck")]
    replies += ['{"subtasks": ["other way"]}'] + [verdict("going")] * 30
    llm = ScriptedLLM(replies, choose=following(test))  # type: ignore[arg-type]
    with agent(tmp_path, llm, **options) as run:
        result = run.run(test)
        reads = [
            r.event
            for r in run.store.ledger.read(episode=result.episode)
            if isinstance(r.event, Recalled) and r.event.grain == "episodes"
        ]
        plans = [
            r.event
            for r in run.store.ledger.read(episode=result.episode)
            if isinstance(r.event, Planned)
        ]
    assert len(plans) == 2 and len(reads) == 2 and reads[0].exposed
    asked = [prompt for prompt in llm.prompts if "Decompose the task" in prompt]
    assert "A subtask that worked elsewhere: find it" in asked[0]
    assert "A subtask that did NOT work elsewhere: store it" in asked[0]
    assert "Given up: find it" in asked[1]
    assert any("elsewhere done by:" in prompt for prompt in llm.prompts)


def test_ablation_arms_and_the_budget_are_run_with_a_scripted_model(tmp_path: Path) -> None:
    names = ["none", "memory", "-value", "-context", "-gate", "-tools", "+parametric", "budget"]
    suite = load_suite("alfworld-mini").model_copy(update={"max_steps": 8})
    plan = HeldOutPlan(
        suite=suite,
        arms=tuple(find_arms(names)),
        checkpoints=(8,),
        learn="demonstrations",
        split="test",
        tasks=2,
        seed=0,
    )
    with agent(tmp_path, ScriptedLLM()) as run:
        report = evaluate(run, plan, tmp_path)
    assert list(report.arms) == names
    assert all(cell.n == 2 for cells in report.arms.values() for cell in cells.values())
    none = next(c for c in report.contrasts if c.b == "none")
    assert 0 <= none.lost <= 1
    with pytest.raises(UsageError, match="budget"):
        find_arms(["memory", "budget"])


def test_a_bounded_agent_keeps_its_capacity_while_it_learns(tmp_path: Path) -> None:
    options = {"policy": {"llm": False}, "retriever": {"capacity": 2}}
    with agent(tmp_path, **options) as run:
        run.learn("alfworld-mini", episodes=4)
        assert len(run.store.episodes) == 2 and len(run.store.evicted) == 2
        assert len(run.store.steps_index) == len(run.store.steps)


def test_the_commands_about_tools_contracts_and_whole_runs(tmp_path: Path) -> None:
    environment = make("alfworld-mini")
    with agent(tmp_path, policy={"llm": False}) as run:
        ids = [task.id for task in environment.tasks("train")][:4]
        import_demonstrations(run.store, from_gold(environment, ids), run="gold")
        episode = run.run(environment.tasks("test")[0].id, max_steps=3).episode
    tools = json.loads(lichen("memory", "tools", "--store", tmp_path, "--json", "-").stdout)
    assert {"go", "take"} <= {record["tool"] for record in tools["tools"]}
    why = json.loads(lichen("memory", "why", episode, "--store", tmp_path, "--json", "-").stdout)
    assert [one["step"] for one in why["steps"]] == [0, 1, 2]
    item = why["steps"][0]["reads"][0]["items"][0]
    assert item["trust"] == "verified" and item["reason"] == "above the gate"
    shown = lichen("memory", "why", episode, "1", "--store", tmp_path)
    assert shown.returncode == 0 and "near" in shown.stdout and "uplift" in shown.stdout
    assert lichen("memory", "why", "nothing", "--store", tmp_path).returncode == 2
    fine = lichen("memory", "doctor", "--store", tmp_path)
    assert fine.returncode == 0 and "Every tool" in fine.stdout
    again = lichen("memory", "reverify", "--store", tmp_path)
    assert again.returncode == 0 and "0 of 0" in again.stdout
    listed = lichen("memory", "ls", "--grain", "subtasks", "--store", tmp_path)
    assert listed.returncode == 0


def test_recorded_verdicts_judge_what_no_check_can_and_are_checked_where_one_can(
    tmp_path: Path,
) -> None:
    open_ended = Functions("poems", [Tool(add)], [Request("1", "Write about 'spring'.")])
    replies = [
        '{"tool": "finish", "arguments": {"answer": "spring"}}',
        '{"solved": true, "critique": "fine"}',
        '{"tool": "finish", "arguments": {"answer": "spring"}}',
        "no verdict at all",
        "nor now",
    ]
    llm = ScriptedLLM(replies)
    outcomes = []
    for _ in range(2):
        with agent(tmp_path, llm, policy={"calls": "free"}) as run:
            run.add(open_ended)
            outcomes.append(run.run("poems/1").outcome)
            ended = [r.event for r in run.store.ledger.read() if isinstance(r.event, EpisodeEnded)]
            run._environments._open.clear()
    assert outcomes == ["success", "unknown"]
    assert [event.judge for event in ended] == ["critic", "critic"]

    planned = ['{"subtasks": ["look"]}', *['{"status": "going", "critique": "on"}'] * 2]
    llm = ScriptedLLM([*planned, '{"solved": true, "critique": "surely"}'])
    suite = load_suite("alfworld-mini").model_copy(update={"max_steps": 3})
    with agent(tmp_path / "other", llm, planner="plan") as run:
        run.learn(suite, episodes=1)
        judged = [r.event for r in run.store.ledger.read() if isinstance(r.event, Judged)]
        assert (judged[0].said, judged[0].truth) == (True, False)
        assert run.store.fold.judge.wrong_yes == 1


def test_memory_that_is_to_help_only_later_is_held_back_at_first(tmp_path: Path) -> None:
    environment = make("alfworld-mini")
    with agent(tmp_path, policy={"llm": False}, retriever={"try_first": 1}) as run:
        ids = [task.id for task in environment.tasks("train")][:4]
        import_demonstrations(run.store, from_gold(environment, ids), run="gold")
        episode = run.run(environment.tasks("test")[0].id, max_steps=2).episode
        rows = run.store.ledger.read(episode=episode)
        reads = [row.event for row in rows if isinstance(row.event, Recalled)]
    assert reads[0].abstained and reads[0].held and not reads[0].exposed
    assert set(reads[0].held_propensity) == {0.0}
    assert reads[1].exposed
