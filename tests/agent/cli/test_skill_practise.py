"""`lichen skills practise --human`: the real command, its standard input, the real worlds."""

import re
import signal
import subprocess
import sys
from pathlib import Path

from typer.testing import CliRunner, Result

from lichen.agent.cli.main import app
from lichen.agent.open_agent import OpenAgent
from lichen.envs import make
from lichen.envs.errors import LichenError
from lichen.memory.forgetting.explain import verify_store
from lichen.memory.ledger.ledger import open_ledger
from lichen.memory.ledger.practice_events import Practised
from lichen.memory.store.replay import replay

COMMAND = [sys.executable, "-m", "lichen.agent", "skills", "practise", "textcraft-open"]


def practise(store: Path, said: str, *more: str) -> Result:
    """Run the command in this process, with lines of standard input."""
    words = [*COMMAND[3:], "--human", "-n", "2", "--seed", "0", "--store", str(store), *more]
    return CliRunner().invoke(app, words, input=said)


def iterations(store: Path) -> list[Practised]:
    events = [row.event for row in open_ledger(store).read()]
    return [
        event.model_copy(update={"library": ""}) for event in events if isinstance(event, Practised)
    ]


def test_a_person_chooses_stops_and_goes_on_as_if_they_had_not(tmp_path: Path) -> None:
    first = practise(tmp_path / "parts", "six\n0\n3\nq\n")
    assert first.exit_code == 0, first.stderr
    shown = re.findall(r"^3\. (.+?)  \((.+)\)$", first.stdout, re.MULTILINE)
    assert len(shown) == 2 and shown[0][1].startswith("not tried yet; known words:")
    assert first.stdout.count("is no choice: type a number from 1 to 5") == 2
    assert "Stopped after 1 iterations; the same command continues." in first.stdout
    goals = make("textcraft").goals()
    (done,) = iterations(tmp_path / "parts")
    assert goals[done.goal] == shown[0][0]
    # nobody there: nothing is lost, nothing is chosen for them
    assert practise(tmp_path / "parts", "").exit_code == 0
    assert iterations(tmp_path / "parts") == [done]
    second = practise(tmp_path / "parts", "\n")
    again = re.findall(r"^1\. (.+?)  \(", second.stdout, re.MULTILINE)
    parts = iterations(tmp_path / "parts")
    assert [goals[parts[1].goal]] == again and parts[0] == done
    # the choices are in the events: the whole run is the same, and nothing is asked a second time
    assert practise(tmp_path / "whole", "3\n\n").exit_code == 0
    assert iterations(tmp_path / "whole") == parts
    third = practise(tmp_path / "parts", "", "--json", "-")
    assert "Which next" not in third.stderr and '"iterations": 2' in third.stdout
    assert verify_store(tmp_path / "parts").problems == ()
    # a model's or the curriculum's own choices in the same store are another practice
    own = ["--no-llm", "-n", "1", "--seed", "0", "--store", str(tmp_path / "parts")]
    assert CliRunner().invoke(app, [*COMMAND[3:], *own]).exit_code == 0
    assert len(iterations(tmp_path / "parts")) == 3
    with OpenAgent.from_config(
        store=tmp_path / "parts", embedder="hashing", policy={"llm": False}
    ) as agent:  # the store is one as any other, and its library is the agent's
        agent.store.absorb()
    assert replay(tmp_path / "parts", compare=True).problems == ()


def test_ctrl_c_at_the_question_ends_at_once_and_keeps_what_was_done(tmp_path: Path) -> None:
    human = [*COMMAND, "--human", "-n", "3", "--seed", "0", "--store", str(tmp_path)]
    with subprocess.Popen(
        human, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    ) as running:
        assert running.stdin is not None and running.stdout is not None
        running.stdin.write("\n")
        running.stdin.flush()
        asked = 0
        while asked < 2:  # the second question stands, and nothing was answered
            asked += running.stdout.readline().startswith("Which next?")
        running.send_signal(signal.SIGINT)
        _, errors = running.communicate(timeout=30)
    assert running.returncode == 130 and "the same command continues" in errors
    assert len(iterations(tmp_path)) == 1


def test_a_suite_without_goals_and_writing_without_a_model_say_what_to_do(tmp_path: Path) -> None:
    for more, said in (
        (["twx-all", "--no-llm"], "names no goals to practise"),
        (["textcraft-open", "--no-llm", "--write"], "Leave out --no-llm."),
    ):
        words = [*COMMAND[3:-1], *more, "--store", str(tmp_path / "s")]
        wrong = CliRunner().invoke(app, words).exception
        assert isinstance(wrong, LichenError)  # which `main` says, and exits with 2
        assert said in f"{wrong} {wrong.hint}"
