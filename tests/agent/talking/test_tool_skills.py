"""A skill of calls is a tool of a model that talks, which says its arguments; its calls are steps."""

import json
from pathlib import Path

from lichen.agent import Agent
from lichen.agent.llm.chatting import ChattingLLM
from lichen.agent.llm.scripted_llm import ScriptedLLM
from lichen.agent.open_agent import OpenAgent
from lichen.envs import Tool, make
from lichen.memory.ledger.events import SkillCalled, Stepped
from lichen.skills.library import Library
from lichen.skills.types import Contract, Parameter, Skill, SkillTest

TICKET = "support/test/lost/0"
CODE = '''def check_stock_reship(api: API, sku: str, order: str) -> bool:
    """Check the stock, and send again."""
    api.call('check_stock', sku=sku)
    api.call('reship', order=order, sku=sku)
    return True
'''


def test_a_model_calls_a_tool_skill_with_its_own_arguments(tmp_path: Path) -> None:
    desk = make("support")
    desk.reset(TICKET)
    gold = [(c.tool, c.arguments) for c in map(desk.read, desk.gold() or ())]
    sent = [arguments for tool, arguments in gold if tool == "reship"]
    skill = Skill(
        name="check-stock-reship",
        description="Check the stock of an article and send it again, for a lost parcel.",
        code=CODE,
        contract=Contract(
            env="support",
            parameters={"sku": Parameter(type="str"), "order": Parameter(type="str")},
            postconditions=("made.reshipment > before.made.reshipment",),
            capabilities=("call",),
        ),
        tests=(SkillTest(name="origin", task_id=TICKET, origin=True, goal=desk.seen().goal),),
    )
    library = Library(tmp_path / "library")
    with library.lock():
        library.put([skill], message="Add", author="agent")
    wrong = ("check-stock-reship", {"sku": sent[0]["sku"], "order": "LN-00000"})
    right = [("check-stock-reship", arguments) for arguments in sent]
    rest = [call for call in gold if call[0] not in ("check_stock", "reship")]
    said = [*rest[:-2], wrong, *right, *rest[-2:]]
    llm = ScriptedLLM([json.dumps({"tool": t, "arguments": a}) for t, a in said])
    settings = {"library": library.root, "threshold": 0.0}
    with OpenAgent.from_config(
        store=tmp_path / "store", llm=ChattingLLM(llm), embedder="hashing", skills=settings
    ) as agent:
        result = agent.run(TICKET)
        rows = [row.event for row in agent.store.ledger.read()]
    assert result.outcome == "success"
    calls = [event for event in rows if isinstance(event, SkillCalled)]
    assert [call.outcome for call in calls] == ["failure", *["success"] * len(sent)]
    assert "reship was refused" in calls[0].reason
    assert "reship failed: there is no order LN-00000" in llm.prompts[2]  # the model is told why
    steps = [event for event in rows if isinstance(event, Stepped)]
    assert len(steps) == len(rest) + 2 + 2 * len(sent) and len(llm.prompts) == len(said)


def test_a_call_in_a_tool_skill_waits_for_approval_and_nothing_is_done_twice(
    tmp_path: Path,
) -> None:
    made: list[str] = []

    def look(order: int) -> str:
        "Look an order up."
        made.append(f"look {order}")
        return f"order {order} is lost"

    def pay(order: int) -> str:
        "Pay an order back."
        made.append(f"pay {order}")
        return f"paid {order}"

    code = (
        'def look_pay(api: API, order: int) -> bool:\n    """Look it up and pay it back."""\n'
        "    api.call('look', order=order)\n    api.call('pay', order=order)\n    return True\n"
    )
    skill = Skill(
        name="look-pay",
        description="Look an order up and pay it back.",
        code=code,
        contract=Contract(
            env="requests",
            parameters={"order": Parameter(type="int")},
            postconditions=("steps >= before.steps + 2",),
            capabilities=("call",),
        ),
        tests=(SkillTest(name="origin", task_id="requests/x", origin=True, goal="Pay it back."),),
    )
    library = Library(tmp_path / "library")
    with library.lock():
        library.put([skill], message="Add", author="agent")
    said = [json.dumps({"tool": "look-pay", "arguments": {"order": 7}}), "It is paid."]
    with Agent.from_config(
        store=tmp_path / "store",
        llm=ScriptedLLM(said),
        embedder="hashing",
        tools=[look, Tool(pay, needs_approval=True)],
        skills={"library": library.root, "threshold": 0.0},
    ) as agent:
        waits = agent.ask("Pay order 7 back.")
        assert waits.waiting is not None and made == ["look 7"]
        answer = agent.approve(waits)
    assert made == ["look 7", "pay 7"] and answer.text == "It is paid."
