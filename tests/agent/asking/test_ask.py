"""Requests in words: answered, remembered, judged later, each user apart (the replies are scripted)."""

import asyncio
import re
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from lichen.agent import Agent, Answer, Unanswered
from lichen.envs import EnvironmentFault, Tool
from lichen.envs.errors import UsageError
from lichen.memory.ledger.errors import UnknownCase

Server = Any  # ScriptedServer of conftest.py
Make = Callable[..., Agent]
LOST = "My parcel 4711 never came"


def find_order(order: int) -> str:
    "Say where an order is."
    if order == 13:
        raise EnvironmentFault("the shop is down")
    if order == 0:
        raise ValueError("orders begin at 1")
    return f"order {order} is in Oslo"


@pytest.fixture
def server(loopback: Server) -> Server:
    """Looks the order up, then says where it is."""

    def reply(body: dict[str, Any]) -> Any:
        if (probe := loopback.probed(body)) is not None:
            return probe
        turns = body["messages"]
        asked = re.findall(r"Task: (.*)", turns[1]["content"])[-1]
        tools = [turn["content"] for turn in turns if turn["role"] == "tool"]
        if "pay" in asked and not tools:
            return loopback.called(("refund", {"order": 7}))
        if (number := re.search(r"\d+", asked)) and not tools:
            return loopback.called(("find_order", {"order": int(number[0])}))
        return loopback.said(f"I found: {tools[-1].splitlines()[0]}" if tools else "Hello.")

    loopback.answers(reply)
    return loopback


@pytest.fixture
def make(tmp_path: Path, server: Server) -> Iterator[Make]:
    opened: list[Agent] = []

    def made(**more: Any) -> Agent:
        given: dict[str, Any] = {"tools": [find_order], "store": tmp_path / "desk"} | more
        given |= {"embedder": "hashing", "model": "openai:m", "base_url": server.url}
        agent = Agent.from_config(**given)
        opened.append(agent)
        return agent

    yield made
    for agent in opened:
        agent.close()


def test_scripted_a_request_is_answered_and_unknown_until_somebody_judges_it(
    make: Make, server: Server
) -> None:
    agent = make(instructions="You are our help desk.")
    answer = agent.ask(LOST)
    assert answer.text == "I found: order 4711 is in Oslo"
    assert answer.calls == (("find_order(order=4711)", "order 4711 is in Oslo"),)
    assert answer.outcome == "unknown" and not agent.store.episodes
    assert "You are our help desk." in server.messages()[0]["content"]
    assert [tool["function"]["name"] for tool in server.asked[-1]["tools"]] == ["find_order"]
    agent.feedback(answer, good=True)
    agent.ask("My parcel 4712 never came")
    told = server.messages()[1]["content"]
    assert f"Case: {LOST} (it was solved)" in told


def test_scripted_feedback_comes_from_another_process_by_id(make: Make, tmp_path: Path) -> None:
    first = make()
    answer = first.ask(LOST)
    first.close()
    later = make(tools=())  # not even the tools are needed
    later.feedback(answer.id, correct="We send another one.")
    assert not later.store.quarantined
    (case,) = later.store.episodes.values()
    assert case.outcome == "failure"
    assert any("We send another one." in step.action for step in later.store.steps.values())
    with pytest.raises(UnknownCase):
        later.feedback("ask-nothing", good=True)


def test_scripted_what_one_user_said_never_reaches_another(make: Make, server: Server) -> None:
    agent = make()
    users = ["acme/ann", "acme/bob", "other/eve", ""]
    for number, user in enumerate(users, start=100):
        answer = agent.ask(f"My parcel {number} SECRET-{user} never came", user=user, thread="t")
        agent.feedback(answer, good=True, note=f"NOTE-{user}")
    for user in users:
        begun = len(server.asked)
        agent.ask("My parcel 5 never came", user=user, thread="t")
        agent.ask("and where is it now?", user=user, thread="t")
        sent = str(server.asked[begun:])
        for other in users:
            seen = f"SECRET-{other} never" in sent
            assert seen == (other in (user, "")), (user, other)


def test_scripted_a_conversation_is_told_in_its_thread_alone(make: Make, server: Server) -> None:
    agent = make()
    agent.ask("I am Ann, hello", thread="one")
    agent.ask("What is my name?", thread="one")
    assert "User: I am Ann, hello\nYou: Hello." in server.messages()[1]["content"]
    agent.ask("What is my name?", thread="two")
    assert "I am Ann" not in str(server.messages())
    agent.ask("What is my name?")
    assert "I am Ann" not in str(server.messages())


def test_scripted_events_come_as_they_happen_the_answer_last(make: Make) -> None:
    agent = make()
    agent.feedback(agent.ask(LOST), good=True)
    kinds = [event.type for event in agent.stream("My parcel 4712 never came")]
    assert kinds[0] == "recalled" and kinds[-1] == "answer"
    assert kinds.index("tool_call") < kinds.index("tool_result") < len(kinds) - 1


async def test_scripted_an_async_stream_and_many_requests_at_once(make: Make) -> None:
    agent = make()
    events = [event async for event in agent.astream(LOST)]
    assert events[-1].type == "answer"
    answers = await asyncio.gather(*(agent.aask(f"My parcel {n} never came") for n in range(1, 9)))
    assert [a.text for a in answers] == [f"I found: order {n} is in Oslo" for n in range(1, 9)]
    assert len({a.id for a in answers}) == 8
    with pytest.raises(UsageError, match="event loop"):
        agent.ask("hello")
    assert (await asyncio.to_thread(agent.ask, "hello")).text == "Hello."


def test_scripted_threads_share_one_agent(make: Make) -> None:
    agent = make()
    found: dict[int, str] = {}

    def ask(n: int) -> None:
        answer = agent.ask(f"My parcel {n} never came", user=f"team/{n}")
        agent.feedback(answer, good=True)
        found[n] = answer.text

    threads = [threading.Thread(target=ask, args=(n,)) for n in range(1, 7)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(timeout=120)
    assert found == {n: f"I found: order {n} is in Oslo" for n in range(1, 7)}
    assert len(agent.store.episodes) == 6


def test_scripted_an_error_is_seen_and_an_outage_is_unknown(make: Make) -> None:
    agent = make()
    answer = agent.ask("Where is order 0?")
    assert "ValueError: orders begin at 1" in answer.calls[0][1]
    with pytest.raises(Unanswered, match="the shop is down"):
        agent.ask("Where is order 13?")
    assert not agent.store.episodes


@pytest.mark.parametrize("judge", [lambda r, a: "Oslo" in a, lambda r, a: 0.9])
def test_scripted_a_judge_makes_cases_and_one_that_fails_makes_none(make: Make, judge: Any) -> None:
    agent = make(judge=judge)
    assert agent.ask(LOST).outcome == "success"
    assert all(step.gain > 0 for step in agent.store.steps.values())


def test_scripted_a_changed_tool_quarantines_what_used_it(make: Make) -> None:
    agent = make(judge=lambda r, a: True)
    agent.ask(LOST)
    agent.ask("hello")
    agent.close()

    def find_order(order: int, country: str) -> str:
        "Say where an order is."
        return ""

    again = make(tools=[find_order])
    quarantined = {
        case.goal for case in again.store.episodes.values() if case.id in again.store.quarantined
    }
    assert quarantined == {LOST}


def test_scripted_an_agent_without_its_tools_says_nothing_of_their_contracts(make: Make) -> None:
    agent = make(judge=lambda r, a: True)
    agent.ask(LOST)
    agent.close()
    later = make(tools=())
    assert later.store.episodes and not later.store.quarantined


def test_scripted_a_judge_that_raises_leaves_it_unknown(make: Make) -> None:
    agent = make(judge=lambda r, a: 1 / 0)
    assert agent.ask(LOST).outcome == "unknown" and not agent.store.episodes


def test_scripted_a_call_waits_for_a_person_also_after_a_restart(make: Make) -> None:
    paid: list[int] = []

    def refund(order: int) -> str:
        "Pay money back."
        paid.append(order)
        return f"paid {order}"

    tools = [find_order, Tool(refund, needs_approval=True)]
    agent = make(tools=tools)
    first, second = agent.ask("please pay me back"), agent.ask("pay me back now", user="acme/ann")
    assert first.waiting is not None and first.waiting.arguments == {"order": 7} and not paid
    agent.close()
    agent = make(tools=tools)
    done = agent.approve(first.id)
    assert paid == [7] and done.text == "I found: paid 7" and done.waiting is None
    denied = agent.approve(second, False, note="not before Monday")
    assert paid == [7] and "not before Monday" in denied.calls[0][1]
    assert denied.namespace == "acme/ann"
    with pytest.raises(UsageError, match="has ended"):
        agent.approve(first)
    with pytest.raises(UnknownCase):
        agent.approve("ask-nothing-000000")


@pytest.mark.parametrize(
    ("budget", "said"),
    [
        ({"tokens": 5}, "tokens"),
        ({"steps": 1}, "steps"),
        ({"dollars": 1e-9}, r"\$"),
        ({"seconds": 0.001}, "seconds"),
    ],
)
def test_scripted_a_budget_of_one_request_ends_in_an_honest_part(
    make: Make, budget: dict[str, Any], said: str
) -> None:
    price = {"m": {"input": 1.0, "output": 1.0}}
    answer = make(budget={"ask": budget}, prices=price).ask(LOST)
    assert re.search(said, answer.stopped) and answer.text.startswith("I could not finish this")
    assert answer.outcome == "unknown"
    if "seconds" not in budget:
        assert "order 4711 is in Oslo" in answer.text


def test_scripted_a_budget_of_a_day_is_kept_across_processes(make: Make, server: Server) -> None:
    agent = make(budget={"day": {"steps": 2}})
    assert not agent.ask(LOST).stopped
    asked = len(server.asked)
    over = agent.ask("and now?")
    assert "today's budget of 2 steps" in over.text and len(server.asked) == asked
    agent.close()
    assert make(budget={"day": {"steps": 2}}).ask("hello").stopped


def test_scripted_what_is_wrong_is_one_sentence(make: Make) -> None:
    agent = make()
    for wrong in ({"text": " "}, {"text": "x", "user": "a//b"}, {"text": "x", "thread": "\n"}):
        with pytest.raises(UsageError):
            agent.ask(**wrong)
    with pytest.raises(UsageError, match="no judge"):
        make(judge="critic", store=agent.config.store.parent / "other")
    agent.close()
    with pytest.raises(UsageError, match="closed"):
        agent.ask("hello")


async def test_scripted_an_async_tool_serves(make: Make) -> None:
    async def find_order(order: int) -> dict[str, Any]:
        "Find it."
        await asyncio.sleep(0.01)
        return {"order": order, "where": "Bergen"}

    answer = await make(tools=[find_order]).aask(LOST)
    assert "Bergen" in answer.text


def test_scripted_a_tool_that_takes_too_long_is_given_up(make: Make) -> None:
    def find_order(order: int) -> str:
        "Never answers."
        threading.Event().wait(3)
        return "late"

    answer: Answer = make(tools=[Tool(find_order, timeout=0.1)]).ask(LOST)
    assert "not known whether it was done" in answer.calls[0][1]


async def test_scripted_turns_of_one_conversation_come_one_after_another(make: Make) -> None:
    agent = make()
    texts = [f"My parcel {n} never came" for n in range(1, 7)]
    answers = await asyncio.gather(*(agent.aask(text, thread="t") for text in texts))
    assert len({answer.id for answer in answers}) == 6
    assert [answer.text for answer in answers] == [
        f"I found: order {n} is in Oslo" for n in range(1, 7)
    ]


def test_scripted_what_a_request_cost_before_it_waited_counts(make: Make) -> None:
    def refund(order: int) -> str:
        "Pay money back."
        return f"paid {order}"

    made: dict[str, Any] = {"tools": [Tool(refund, needs_approval=True)]}
    price = {"m": {"input": 1.0, "output": 1.0}}
    agent = make(**made, prices=price, budget={"day": {"steps": 4}})
    first = agent.ask("please pay 7 back")
    done = agent.approve(first)
    assert first.cost == first.spent and done.spent.tokens_in > 0
    for part in ("tokens_in", "tokens_out", "dollars"):
        both = getattr(first.spent, part) + getattr(done.spent, part)
        assert getattr(done.cost, part) == pytest.approx(both)
    assert done.cost.steps == 2  # the call and the answer, each once
    assert not agent.ask("hello").stopped and not agent.ask("hello").stopped
    assert agent.ask("hello").stopped  # 2 + 1 + 1 steps were taken
    agent.close()
    agent = make(**made, prices=price, budget={"ask": {"dollars": 1e-9}})
    stopped = agent.approve(agent.ask("please pay 7 back", thread="t"))
    assert "is used up" in stopped.stopped and not stopped.spent.dollars
