"""A skill of calls is a tool of a model that talks, which says its arguments; its calls are steps."""

import json
from pathlib import Path

from lichen.agent.llm.chatting import ChattingLLM
from lichen.agent.llm.scripted_llm import ScriptedLLM
from lichen.agent.open_agent import OpenAgent
from lichen.envs import make
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
