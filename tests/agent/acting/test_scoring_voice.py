"""The completion prompt calls good only what was good, and says why something was refused."""

from lichen.agent.acting.scoring_voice import act_prompt
from lichen.memory.ledger.records import Hit, State, StepCase

HERE = State(goal="Pay for order ORD-7.", text="A ticket.")


def remembered(action: str, *, gain: float, error: str = "") -> Hit:
    case = StepCase(
        id=action,
        episode="e",
        rank=0,
        env="desk",
        family="f",
        index=0,
        state=State(goal="Pay for ORD-1.", text="Another ticket."),
        action=action,
        gain=gain,
        error=error,
        source="own",
        events=(),
    )
    return Hit(case=case, action=action, about=action, similarity=0.9, why="")


def test_cases_that_gained_nothing_are_not_called_good() -> None:
    hits = [
        remembered("refund('ORD-1')", gain=0.0),
        remembered("escalate('ORD-1')", gain=0.9),
        remembered("wait()", gain=-0.4),
    ]
    prompt = act_prompt(HERE, hits, ())
    good = [line for line in prompt.splitlines() if line.startswith("Good action: ")]
    assert good == ["Good action: escalate('ORD-1')"]


def test_a_refused_case_is_told_with_its_reason() -> None:
    hit = remembered("refund('ORD-1')", gain=0.0, error="above 100 EUR ask first")
    prompt = act_prompt(HERE, [hit], ())
    assert "Refused action: refund('ORD-1')\nabove 100 EUR ask first\n" in prompt
    assert "Good action: refund" not in prompt


def test_the_episodes_own_errors_are_not_called_good() -> None:
    turns = [("look()", "Error: no such thing"), ("find()", "It is here.")]
    prompt = act_prompt(HERE, (), turns, refused={turns[0]})
    assert "Refused action: look()" in prompt and "Good action: find()" in prompt
    assert "Good action: look()" not in prompt
