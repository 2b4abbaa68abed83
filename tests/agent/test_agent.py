"""The planner's graph and the agent, end to end, with the real small model and real environments."""

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Sequence
from pathlib import Path

import pytest

from lichen.agent import PolicyConfig
from lichen.agent.acting.policy import Policy, situation
from lichen.agent.acting.working_memory import WorkingMemory
from lichen.agent.llm import ScriptedLLM
from lichen.agent.llm.errors import FingerprintChanged
from lichen.agent.llm.local_llm import LocalLLM
from lichen.agent.open_agent import OpenAgent
from lichen.agent.planning.planner import PlanRequest, SubtaskPlanner
from lichen.envs import EnvironmentFault, Observation, Task, load_suite, make
from lichen.memory import Store
from lichen.memory.ledger.events import EpisodeEnded, Planned, RunStarted, Stepped
from lichen.memory.ledger.records import Hits
from lichen.memory.likeness.embedder import HashingEmbedder
from lichen.memory.store.demonstrations import from_gold, import_demonstrations

NOTHING = Hits(hits=(), considered=0, abstained=True)
TASK = Task(id="x/1", env="x", family="x", split="dev")
SEEN = Observation(
    text="You are here. You see a coin.",
    goal="take the coin",
    admissible=("look", "take coin", "take cup"),
    score=0.0,
    won=False,
    task=TASK,
    steps=0,
)


def agent(folder: Path, llm: object = None, **options: object) -> OpenAgent:
    return OpenAgent.from_config(store=folder, embedder="hashing", llm=llm, **options)  # type: ignore[arg-type]


def demonstrated(folder: Path) -> None:
    with Store(folder, embedder=HashingEmbedder()) as store:
        environment = make("alfworld-mini")
        ids = [task.id for task in environment.tasks("train")]
        import_demonstrations(store, from_gold(environment, ids), run="gold")


async def test_without_memory_the_policy_is_the_frozen_models_own(smollm2: LocalLLM) -> None:
    policy = Policy(PolicyConfig(novelty=0), smollm2)
    decision = await policy.decide(situation(SEEN, [], NOTHING, seed=0))
    assert decision.kl == pytest.approx(0.0, abs=1e-9)
    assert decision.scored == 3


async def test_a_model_that_prefers_an_action_gets_it_and_repetition_costs() -> None:
    def likes_cup(_: str, options: Sequence[str]) -> list[float]:
        return [0.0 if "cup" in option else -6.0 for option in options]

    policy = Policy(PolicyConfig(novelty=0), ScriptedLLM(choose=likes_cup))
    working = WorkingMemory()
    working.begin(SEEN)
    first = await policy.decide(situation(SEEN, [], NOTHING, seed=0, working=working))
    assert first.action == "take cup"
    working.note(SEEN, "take cup", SEEN)
    working.note(SEEN, "take cup", SEEN)
    second = await policy.decide(situation(SEEN, [], NOTHING, seed=0, working=working))
    assert second.action != "take cup"


async def test_hundreds_of_actions_are_filtered_and_none_at_all_is_a_fault(
    smollm2: LocalLLM,
) -> None:
    many = SEEN.model_copy(
        update={"admissible": tuple(sorted(f"take thing {i}" for i in range(900)))}
    )
    policy = Policy(PolicyConfig(candidates=8), smollm2)
    decision = await policy.decide(situation(many, [], NOTHING, seed=0))
    assert (decision.considered, decision.scored) == (900, 8)
    named = many.model_copy(update={"admissible": (*(many.admissible or ()), "take coin")})
    policy = Policy(PolicyConfig(candidates=1), None)
    decision = await policy.decide(situation(named, [], NOTHING, seed=0))
    assert decision.action == "take coin"  # shares a word with the goal
    empty = SEEN.model_copy(update={"admissible": ()})
    with pytest.raises(EnvironmentFault, match="no admissible action"):
        await policy.decide(situation(empty, [], NOTHING, seed=0))


async def test_an_observation_of_100_kb_is_shown_in_part(smollm2: LocalLLM) -> None:
    long = SEEN.model_copy(update={"text": "words and more words. " * 5000})
    policy = Policy(PolicyConfig(), smollm2)
    decision = await policy.decide(situation(long, [], NOTHING, seed=0))
    assert decision.action in (SEEN.admissible or ())


def test_working_memory_prefers_ways_that_were_never_taken() -> None:
    def at(room: str, ways: Sequence[str]) -> Observation:
        return SEEN.model_copy(
            update={"text": f"You are in the {room}.", "admissible": tuple(sorted(ways))}
        )

    hall, den, attic = (
        at("hall", ["move north", "move east"]),
        at("den", ["move south"]),
        at("attic", ["move west"]),
    )
    working = WorkingMemory()
    working.begin(hall)
    working.note(hall, "move north", den)
    working.note(den, "move south", hall)
    assert working.novelty(hall, ["move east", "move north"]).tolist() == [
        1.0,
        pytest.approx(0.8**2),
    ]
    working.note(hall, "move east", attic)
    assert working.novelty(attic, ["move west"]).tolist() == [1.0]


def test_memory_makes_the_agent_solve_what_it_could_not(tmp_path: Path, smollm2: LocalLLM) -> None:
    demonstrated(tmp_path / "with")
    tasks = [task.id for task in make("alfworld-mini").tasks("test")][:4]
    results = {}
    for name in ("with", "without"):
        with agent(tmp_path / name, smollm2) as run:
            results[name] = [run.run(task, max_steps=12).outcome for task in tasks]
    assert results["with"].count("success") >= 3 > results["without"].count("success")


def test_learning_twice_with_one_seed_gives_the_same_events(
    tmp_path: Path, smollm2: LocalLLM
) -> None:
    hashes, events = [], []
    suite = load_suite("alfworld-mini").model_copy(update={"max_steps": 6})
    for name in ("a", "b"):
        with agent(tmp_path / name, smollm2, seed=3) as run:
            report = run.learn(suite, episodes=2)
            assert len(report.episodes) == 2
            assert report.fingerprint_before == report.fingerprint_after != ""
            hashes.append(run.store.state_hash())
            events.append([str(row.event) for row in run.store.ledger.read()])
    assert hashes[0] == hashes[1]
    assert events[0] == events[1]


def test_a_second_learn_goes_on_with_the_next_tasks(tmp_path: Path) -> None:
    with agent(tmp_path, policy={"llm": False}) as run:
        first = run.learn("alfworld-mini", episodes=2)
        second = run.learn("alfworld-mini", episodes=2)
    assert first.run != second.run
    assert {e.task_id for e in first.episodes}.isdisjoint(e.task_id for e in second.episodes)
    assert second.resumed == 0


def test_learning_episodes_explore_and_evaluations_do_not() -> None:
    config = PolicyConfig.model_validate(
        {"explore": {"llm": False, "optimism": 0.7, "temperature": 2}}
    )
    exploring = config.exploring()
    assert (exploring.llm, exploring.temperature) == (False, 2.0)
    assert (config.llm, config.temperature) == (True, 0.0)


def test_a_model_that_changes_during_a_run_is_an_error(tmp_path: Path) -> None:
    class Drifting(ScriptedLLM):
        async def fingerprint(self) -> str:
            self.usage.calls += 1
            return str(self.usage.calls)

    with agent(tmp_path, Drifting()) as run, pytest.raises(FingerprintChanged):
        run.learn("alfworld-mini", episodes=1)


KILLED = """
import os, sys
from lichen.agent.open_agent import OpenAgent
from lichen.agent.llm import ScriptedLLM
from lichen.agent.episode.stage import Stage
steps = [0]
play = Stage.play
def counted(self, action):
    steps[0] += 1
    if steps[0] == int(sys.argv[2]):
        os.kill(os.getpid(), 9)
    return play(self, action)
Stage.play = counted
agent = OpenAgent.from_config(store=sys.argv[1], embedder="hashing", llm=ScriptedLLM())
agent.learn("alfworld-mini", episodes=2)
"""


@pytest.mark.parametrize("at", [1, 7, 33])
def test_a_run_killed_at_any_step_resumes_with_nothing_lost_and_nothing_done_twice(
    tmp_path: Path, at: int
) -> None:
    done = subprocess.run(
        [sys.executable, "-c", KILLED, str(tmp_path / "killed"), str(at)], timeout=120
    )
    assert done.returncode == -signal.SIGKILL
    events = {}
    for name in ("killed", "whole"):
        with agent(tmp_path / name, ScriptedLLM()) as run:
            report = run.learn("alfworld-mini", episodes=2)
            assert [e.outcome for e in report.episodes if e.outcome == "unknown"] == []
            rows = [row for row in run.store.ledger.read() if not isinstance(row.event, RunStarted)]
            events[name] = [(row.key, row.event) for row in rows]
    assert events["killed"] == events["whole"]
    steps = [e.step for _, e in events["killed"] if isinstance(e, Stepped)]
    assert len([s for s in steps if s == 0]) == 2


def test_ctrl_c_keeps_what_was_done_and_the_same_command_continues(tmp_path: Path) -> None:
    command = [
        sys.executable,
        "-m",
        "lichen.agent",
        "run",
        "twx-mapreader",
        "-n",
        "4",
        "--store",
        str(tmp_path),
    ]
    command += ["--set", "policy.llm=false", "--set", "embedder=hashing"]
    with subprocess.Popen(
        command, stderr=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as process:
        ledger = tmp_path / "ledger.sqlite"
        for _ in range(300):
            if ledger.exists() and _ended(tmp_path) >= 1:
                break
            time.sleep(0.1)
        process.send_signal(signal.SIGINT)
        _, said = process.communicate(timeout=60)
    assert process.returncode == 130, said
    assert "the same command continues" in said
    assert "Traceback" not in said
    before = _ended(tmp_path)
    assert before >= 1
    done = subprocess.run([*command, "--json", "-"], capture_output=True, text=True, timeout=200)
    assert done.returncode == 0, done.stderr
    found = json.loads(done.stdout)
    assert len(found["episodes"]) == 4
    assert found["resumed"] >= before
    assert all(e["outcome"] != "unknown" for e in found["episodes"])


def _ended(folder: Path) -> int:
    from lichen.memory.ledger.ledger import open_ledger

    try:
        return sum(isinstance(row.event, EpisodeEnded) for row in open_ledger(folder).read())
    except Exception:  # the store is being made
        return 0


async def test_recorded_plans_are_parsed_and_shown_similar_episodes(tmp_path: Path) -> None:
    llm = ScriptedLLM(['Sure:\n```json\n{"subtasks": ["find the coin", "take it"]}\n```'])
    planner = SubtaskPlanner(llm)
    assert await planner.plan(PlanRequest(SEEN, reason="no progress", old_plan=["wait"])) == [
        "find the coin",
        "take it",
    ]
    assert "no progress" in llm.prompts[0]
    assert "take the coin" in llm.prompts[0]


def test_recorded_replies_walk_the_plan_style_through_next_subtask_and_replan(
    tmp_path: Path,
) -> None:
    environment = make("alfworld-mini")
    task = next(t.id for t in environment.tasks("test") if "simple" in t.id)
    environment.reset(task)
    gold = list(environment.gold() or ())
    turn = [0]

    def follow(prompt: str, options: Sequence[str]) -> list[float]:
        wanted = gold[turn[0]] if turn[0] < len(gold) else ""
        turn[0] += any(option.strip() == wanted for option in options)
        return [0.0 if option.strip() == wanted else -30.0 for option in options]

    def verdict(status: str) -> str:
        return json.dumps({"status": status, "critique": f"it is {status}"})

    replies = ['{"subtasks": ["find the fork", "store it"]}', verdict("done"), verdict("stuck")]
    replies += ['{"subtasks": ["open the drawer", "put it in"]}'] + [verdict("going")] * 10
    llm = ScriptedLLM(replies, choose=follow)
    options = {"planner": "plan", "policy": {"margin": 50, "candidates": 99, "novelty": 0}}
    with agent(tmp_path, llm, **options) as run:
        result = run.run(task)
        planned = [row.event for row in run.store.ledger.read() if isinstance(row.event, Planned)]
    assert result.outcome == "success"
    assert [p.subtasks[0] for p in planned] == ["find the fork", "open the drawer"]
    assert planned[1].reason == "it is stuck"
    assert any("Now: store it" in prompt for prompt in llm.prompts)


def test_the_plan_style_runs_with_the_small_model_itself(smollm2: LocalLLM, tmp_path: Path) -> None:
    demonstrated(tmp_path)
    with agent(tmp_path, smollm2, planner="plan") as run:
        result = run.run(make("alfworld-mini").tasks("test")[0].id, max_steps=3)
        planned = [row.event for row in run.store.ledger.read() if isinstance(row.event, Planned)]
    assert (result.outcome, result.steps) == ("failure", 3)
    assert planned and planned[0].subtasks


def test_the_ten_line_script_of_the_readme_runs(tmp_path: Path) -> None:
    readme = (Path(__file__).parents[2] / "README.md").read_text(encoding="utf-8")
    script = next(
        block.split("```")[0]
        for block in readme.split("```python\n")[1:]
        if "OpenAgent.from_config" in block
    )
    assert len(script.strip().splitlines()) <= 10
    done = subprocess.run(
        [sys.executable, "-c", script],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        timeout=900,
        env={**os.environ, "LICHEN_POLICY__CANDIDATES": "4", "LICHEN_POLICY__MARGIN": "0.5"},
    )
    assert done.returncode == 0, done.stderr
    assert any(word in done.stdout for word in ("success", "failure"))
