"""Several tools in one reply of the model: each is called once, and answered (the replies are scripted)."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from lichen.agent import Agent
from lichen.envs import Tool

Server = Any  # ScriptedServer of conftest.py
LOOK, PAY, ALSO = ("look", {"order": 1}), ("pay", {"order": 2}), ("look", {"order": 3})


class Desk:
    """An agent whose model names some calls at once, and what was really called."""

    def __init__(self, folder: Path, loopback: Server) -> None:
        self.folder, self.loopback = folder, loopback
        self.made: list[str] = []

    def names(self, *uses: tuple[str, dict[str, Any]]) -> None:
        """Let the model name these calls in one reply, and answer when all have come back."""

        def reply(body: dict[str, Any]) -> Any:
            if (probe := self.loopback.probed(body)) is not None:
                return probe
            results = [turn for turn in body["messages"] if turn["role"] == "tool"]
            return self.loopback.said("Done.") if results else self.loopback.called(*uses)

        self.loopback.answers(reply)

    def opened(self, **more: Any) -> Agent:
        def look(order: int) -> str:
            "Look an order up."
            self.made.append(f"look {order}")
            return f"order {order} is at sea"

        def pay(order: int) -> str:
            "Pay an order back."
            self.made.append(f"pay {order}")
            return f"paid {order}"

        return Agent.from_config(
            store=self.folder,
            embedder="hashing",
            model="openai:m",
            base_url=self.loopback.url,
            tools=[look, Tool(pay, needs_approval=True)],
            **more,
        )

    def conversation(self) -> list[tuple[str, str]]:
        """Return the calls of the model's last conversation, each with what answered it, by their ids."""
        turns = self.loopback.messages()
        answers = {t["tool_call_id"]: t["content"] for t in turns if t["role"] == "tool"}
        uses = [use for turn in turns for use in turn.get("tool_calls") or ()]
        assert sorted(answers) == sorted(use["id"] for use in uses)
        return [(use["function"]["name"], answers[use["id"]].partition("\n")[0]) for use in uses]


@pytest.fixture
def desk(tmp_path: Path, loopback: Server) -> Iterator[Desk]:
    yield Desk(tmp_path / "desk", loopback)


def test_scripted_calls_of_one_reply_are_all_made_once_and_answered(desk: Desk) -> None:
    desk.names(LOOK, ALSO)
    with desk.opened() as agent:
        answer = agent.ask("Where are my orders?")
    assert answer.text == "Done." and desk.made == ["look 1", "look 3"]
    assert [said for _, said in answer.calls] == ["order 1 is at sea", "order 3 is at sea"]
    assert desk.conversation() == [("look", "order 1 is at sea"), ("look", "order 3 is at sea")]
    asked = [body for body in desk.loopback.asked if len(body["messages"]) > 1]
    uses = desk.loopback.messages()[2]["tool_calls"]
    assert len(uses) == 2 and len(asked) >= 2


@pytest.mark.parametrize("uses", [(LOOK, PAY), (PAY, LOOK), (LOOK, PAY, ALSO)])
@pytest.mark.parametrize("approved", [True, False])
def test_scripted_one_that_waits_for_a_person_makes_no_other_twice(
    desk: Desk, uses: Any, approved: bool
) -> None:
    desk.names(*uses)
    with desk.opened() as agent:
        waits = agent.ask("Help me with my orders")
        assert waits.waiting is not None and waits.waiting.tool == "pay"
        assert "pay 2" not in desk.made
    with desk.opened() as agent:  # also in another process
        done = agent.approve(waits.id, approved)
    assert done.text == "Done."
    wanted = [f"{name} {given['order']}" for name, given in uses if approved or name != "pay"]
    assert desk.made == wanted
    told = desk.conversation()
    assert [name for name, _ in told] == [name for name, _ in uses]
    for (name, said), (_, given) in zip(told, uses, strict=True):
        assert name == "pay" or said == f"order {given['order']} is at sea"


def test_scripted_each_of_them_is_a_step_of_the_budget(desk: Desk) -> None:
    desk.names(LOOK, ALSO, ("look", {"order": 5}))
    with desk.opened(budget={"ask": {"steps": 2}}) as agent:
        answer = agent.ask("Where are my orders?")
    assert answer.stopped and desk.made == ["look 1", "look 3"] and answer.cost.steps == 2


@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        (("nothing", {}), "there is no tool 'nothing'"),
        (("look", {"order": "x"}), "order"),
        (LOOK, "this very call was made already"),
    ],
)
def test_scripted_one_that_cannot_be_made_is_told_why_and_stops_no_other(
    desk: Desk, wrong: Any, said: str
) -> None:
    desk.names(LOOK, wrong, ALSO)
    with desk.opened() as agent:
        answer = agent.ask("Where are my orders?")
    assert answer.text == "Done." and desk.made == ["look 1", "look 3"]
    told = [answer for _, answer in desk.conversation()]
    assert (told[0], told[2]) == ("order 1 is at sea", "order 3 is at sea")
    assert told[1].startswith("Not called: ") and said in told[1]


def test_scripted_what_the_model_wrote_beside_its_call_is_written_down(desk: Desk) -> None:
    def reply(body: dict[str, Any]) -> Any:
        if (probe := desk.loopback.probed(body)) is not None:
            return probe
        if any(turn["role"] == "tool" for turn in body["messages"]):
            return desk.loopback.said("At sea.")
        return desk.loopback.called(LOOK, content="I look it up first.")

    desk.loopback.answers(reply)
    with desk.opened() as agent:
        answer = agent.ask("Where is order 1?")
        rows = agent.store.rows_of(answer.id)
        steps = [row.event for row in rows if row.event is not None and row.event.type == "stepped"]
    assert [step.thought for step in steps] == ["I look it up first.", ""]
