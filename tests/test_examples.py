"""The worked examples of docs/examples run, each in a fresh folder, and say what they should."""

import subprocess
import sys
from pathlib import Path

import pytest

EXAMPLES = Path(__file__).parents[1] / "docs" / "examples"
SAID = {
    "langgraph_memory": [
        "(it was NOT solved)",
        "We send you another one today.",
        "Bob's memory: 0",
    ],
    "data_questions": [
        "7 pieces were sold in Oslo. success",
        "6 pieces were sold in Bergen. success",
        "The first question was told: True",
        "Its mistake was told too: True",
    ],
    "mcp_client": [
        "tools: recall, remember, feedback, search_skills, run_skill",
        "before anybody judged it: 0 items",
        "|   send_again(order=4711)",
        "provenance: 3 mentions of order 4711",
    ],
    "help_desk_fastapi": [
        "A person has to approve this first: refund(order=4711)",
        "I paid it back.",
        "{'cases': 1}",
    ],
}


def test_every_example_is_run_here() -> None:
    assert {path.stem for path in EXAMPLES.glob("*.py")} == set(SAID)


@pytest.mark.parametrize("name", sorted(SAID))
def test_a_worked_example_runs_and_says_what_it_should(name: str, tmp_path: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-W", "ignore", str(EXAMPLES / f"{name}.py")],
        cwd=tmp_path,
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stderr[-3000:]
    for said in SAID[name]:
        assert said in done.stdout, done.stdout
