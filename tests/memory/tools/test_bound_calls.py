"""A remembered call is done here with the values of this task: by form, by the words around, by shares."""

from pathlib import Path

import pytest

from lichen.envs.support.support_environment import Support
from lichen.envs.tools import Call, ToolSpec
from lichen.memory.ledger.records import Hit, State, StepCase
from lichen.memory.tools.bound_calls import BY_ORDER, CallMoment, bound_hits

REFUND = ToolSpec(
    name="refund",
    description="Pay back.",
    parameters={
        "type": "object",
        "properties": {
            "order": {"type": "string"},
            "amount": {"type": "number"},
            "to": {"type": "string", "enum": ["card", "credit"]},
        },
        "required": ["order", "amount", "to"],
    },
)
RESEND = ToolSpec(
    name="resend",
    description="Send again.",
    parameters={
        "type": "object",
        "properties": {"order": {"type": "string"}, "sku": {"type": "string"}},
        "required": ["order", "sku"],
    },
)
CUSTOMER = ToolSpec(
    name="customer",
    description="Look a customer up.",
    parameters={
        "type": "object",
        "properties": {"name": {"type": "string"}},
        "required": ["name"],
    },
)
SPECS = (REFUND, RESEND, CUSTOMER)


class Remembered:
    """Calls of other episodes, each with its moment."""

    def __init__(self) -> None:
        self.hits: list[Hit] = []
        self.moments: dict[str, CallMoment] = {}

    def add(
        self, goal: str, told: str, tool: str, made: tuple[Call, ...] = (), **arguments: object
    ) -> None:
        name = f"e{len(self.hits)}"
        case = StepCase(
            id=name, episode=name, rank=0, env="desk", family="f", index=len(made),
            state=State(goal=goal, text=told, request=True), action=f"{tool}(...)", gain=1.0,
            call=call(tool, **arguments), source="own", events=(),
        )  # fmt: skip
        self.hits.append(Hit(case=case, action=case.action, about=tool, similarity=0.9, why=""))
        self.moments[name] = CallMoment(goal, told, made)

    def here(self, goal: str, told: str, made: tuple[Call, ...] = ()) -> list[Hit]:
        found, calls = bound_hits(
            self.hits,
            CallMoment(goal, told, made),
            SPECS,
            lambda case: self.moments[case.id],
            State(goal=goal, text=told, request=True),
        )
        return [hit for hit in found if hit.action in calls]


def call(tool: str, **arguments: object) -> Call:
    return Call(tool=tool, version="1", schema_hash="s", arguments=arguments)


def test_a_share_that_cases_agree_on_is_worked_out_here() -> None:
    known = Remembered()
    known.add(
        "Late: order 10788",
        "LN-10788 came. Total 154.00 EUR.",
        "refund",
        order="LN-10788",
        amount=15.4,
        to="card",
    )
    one = known.here("My order 43364 is late", "LN-43364 came. Total 258.50 EUR.")
    assert not one  # one case may be chance
    known.add(
        "Late: order 20943",
        "LN-20943 came. Total 48.00 EUR.",
        "refund",
        order="LN-20943",
        amount=4.8,
        to="card",
    )
    assert {
        hit.action
        for hit in known.here("My order 43364 is late", "LN-43364 came. Total 258.50 EUR.")
    } == {"refund(order='LN-43364', amount=25.85, to='card')"}


def test_what_was_said_nowhere_and_is_always_the_same_stays() -> None:
    known = Remembered()
    for order, stock in ((10788, 5), (20943, 7)):
        told = f"LN-{order}, {stock} in stock. Total 48.00 EUR."
        known.add(
            f"Lost: order {order}", told, "refund", order=f"LN-{order}", amount=5.0, to="credit"
        )
    (found, *_) = known.here("Lost: order 43364", "LN-43364, 9 in stock. Total 80.00 EUR.")
    assert found.action == "refund(order='LN-43364', amount=5.0, to='credit')"


def test_of_several_the_one_is_meant_whose_clause_speaks_of_the_task() -> None:
    known = Remembered()
    told = "Rafael Petrov. LN-26698: plant stand, floor lamp; LN-40589: bread oven, toaster"
    known.add("Where is the order with my toaster?", told, "resend", order="LN-40589", sku="KT-31")
    known.add(
        "Where is the order with my rug?",
        "LN-11111: rug; LN-22222: cup",
        "resend",
        order="LN-11111",
        sku="KT-31",
    )
    (found, *_) = known.here(
        "Where is the order with my kettle?", "Ann Bo. LN-30000: cup; LN-30001: rug, kettle"
    )
    assert "LN-30001" in found.action


def test_of_several_the_one_is_meant_that_stands_where_others_stood() -> None:
    known = Remembered()
    known.add("My parcel is lost. Yours, Lena Laurent", "", "customer", name="Lena Laurent")
    (found,) = known.here("Dear Lantern team, my parcel is lost. Yours, Oskar Bauer", "")
    assert found.action == "customer(name='Oskar Bauer')"


def test_what_was_used_already_is_not_used_again() -> None:
    known = Remembered()
    made = (call("resend", order="LN-1", sku="KT-11"),)
    known.add("Lost: order LN-10788", "KT-11; FU-22", "resend", made, order="LN-10788", sku="FU-22")
    goal, told = "Lost: order LN-43364", "AA-31; BB-42; CC-53"
    (first,) = known.here(goal, told)
    assert "AA-31" in first.action
    assert first.similarity == pytest.approx(0.9 * BY_ORDER)
    (second,) = known.here(goal, told, (call("resend", order="LN-43364", sku="AA-31"),))
    assert "BB-42" in second.action


def test_a_call_whose_values_cannot_be_found_is_no_call_here() -> None:
    known = Remembered()
    known.add(
        "Late: order 10788", "Total 154.00", "refund", order="LN-10788", amount=15.4, to="card"
    )
    assert not known.here("I want money", "")


def test_cases_alone_close_tickets_that_nobody_closed_before(tmp_path: Path) -> None:
    from lichen.agent.open_agent import OpenAgent
    from lichen.memory.store.demonstrations import from_gold, import_demonstrations

    with OpenAgent.from_config(store=tmp_path, embedder="hashing", policy={"llm": False}) as agent:
        desk = Support()
        train = [task.id for task in desk.tasks("train") if task.family in ("late", "contract")]
        import_demonstrations(agent.store, from_gold(desk, train), run="shown")
        held = [task.id for task in desk.tasks("test") if task.family in ("late", "contract")]
        done = [agent.run(task).outcome for task in held[:6]]
    assert done.count("success") >= 5


def refund_of(*told: tuple[str, float]) -> Remembered:
    known = Remembered()
    for number, (said, amount) in enumerate(told):
        order = f"LN-{10788 + number}"
        known.add(f"Late: order {order}", said, "refund", order=order, amount=amount, to="card")
    return known


def test_a_number_in_groups_is_not_half_read() -> None:
    known = refund_of(("Total 154.00 EUR", 15.4), ("Total 48.00 EUR", 4.8))
    assert not known.here("Late: order LN-43364", "Total 1,250.00 EUR")
    assert known.here("Late: order LN-43364", "Total 1250.00 EUR")[0].action.count("125.0") == 1


def test_shares_that_say_different_amounts_say_nothing() -> None:
    known = refund_of(("Total 100, Shipping 50", 10.0), ("Total 200, Shipping 100", 20.0))
    assert not known.here("Late: order LN-43364", "Total 300, Shipping 30")
    assert known.here("Late: order LN-43364", "Total 300, Shipping 150")


@pytest.mark.parametrize(
    ("there", "here", "name"),
    [
        ("write to anna@foo.com", "write to bob@bar.com", "anna@foo.com"),
        ("请写信给王小明", "请写信给李大伟", "王小明"),
        ("say hello", "say hello", "Dear Anna, the key is under the mat"),
        ("say hello", "say hello", "王小明"),
    ],
)
def test_what_belongs_to_somebody_else_is_not_copied(there: str, here: str, name: str) -> None:
    known = Remembered()
    known.add(there, "", "customer", name=name)
    assert not [hit for hit in known.here(here, "") if name in hit.action]


def test_parts_of_lists_and_objects_are_bound_one_by_one() -> None:
    pack = ToolSpec(name="pack", description="", parameters={
        "type": "object",
        "properties": {"items": {"type": "array", "items": {"type": "object"}}},
        "required": ["items"],
    })  # fmt: skip
    known = Remembered()
    known.add("pack KT-20 and KT-30", "", "pack", items=[{"sku": "KT-20"}, {"sku": "KT-30"}])

    def here(goal: str) -> set[str]:
        state = State(goal=goal, text="", request=True)
        moments = known.moments
        return bound_hits(
            known.hits, CallMoment(goal, "", ()), [pack], lambda case: moments[case.id], state
        )[1]

    assert here("pack KT-77") == set()
    assert here("pack AA-77 and BB-88") == {"pack(items=[{'sku': 'AA-77'}, {'sku': 'BB-88'}])"}


def test_a_call_that_was_refused_or_lost_is_no_advice() -> None:
    known = Remembered()
    known.add("Lost. Yours, Lena Laurent", "", "customer", name="Lena Laurent")
    lost = known.hits[0].case.model_copy(update={"gain": -1.0})
    known.hits[0] = known.hits[0].model_copy(update={"case": lost})
    assert not known.here("Lost. Yours, Oskar Bauer", "")


def test_numbers_that_are_none_and_huge_ones_break_nothing() -> None:
    for amount in (float("inf"), float("nan"), 10**400):
        known = refund_of(("Total 154.00 EUR", amount), ("Total 48.00 EUR", 4.8))
        known.here("Late: order LN-43364", "Total 99.00 EUR")


def test_long_texts_are_read_in_time(tmp_path: Path) -> None:
    """Nothing is timed: with work that grows with the square of a text this would not end."""
    rows = "\n".join(f"LN-{10000 + n}, item {n}, Total {n}.00 EUR" for n in range(20_000))
    known = refund_of((rows, 15.4), (rows, 4.8), ("a" * 200_000, 3.0))
    known.here("Late: order LN-43364", rows)
