"""What is told of a call of another task: values of this one where they can be found, never foreign ones."""

import pytest

from lichen.envs.tools import Call
from lichen.memory.ledger.records import Hit, State, StepCase
from lichen.memory.tools.lifted import bound_value, lifted_calls, place_of

THERE = "Sadly the garden bench of order no. 48933 does not work. Mira Holm"
ANSWER = (
    "LN-48933, Mira Holm (private), delivered 12 May. KT-31 toaster 48.00; "
    "GD-18 garden bench 215.00. Total 263.00 EUR."
)
HERE = "The watering can was not in the box of LN 12345. Thanks, Hugo Brandt"
SEEN = (
    "LN-12345, Hugo Brandt (private), delivered 9 May. FU-13 armchair 329.00; "
    "GD-04 watering can 27.90. Total 356.90 EUR."
)


def hit(
    tool: str,
    goal: str = THERE,
    text: str = ANSWER,
    *,
    gain: float = 1.0,
    error: str = "",
    near: float = 0.9,
    episode: str = "e",
    **arguments: object,
) -> Hit:
    call = Call(tool=tool, version="1", schema_hash="s", arguments=arguments)
    case = StepCase(
        id=f"{tool}{near}",
        episode=episode,
        rank=0,
        env="desk",
        family="f",
        index=0,
        state=State(goal=goal, text=text),
        action=tool,
        gain=gain,
        call=call,
        error=error,
        source="own",
        events=(),
    )
    return Hit(case=case, action=tool, about=tool, similarity=near, why="")


@pytest.mark.parametrize(
    ("value", "here"),
    [
        ("LN-48933", "LN-12345"),
        ("GD-18", "GD-04"),
        (215.0, 27.9),
        (48.0, None),
        ("Mira Holm", "Hugo Brandt"),
        ("KT-31", None),
        (263.0, None),
    ],
)
def test_a_value_is_what_stands_here_where_it_stood_there(value: object, here: object) -> None:
    place = place_of(value, THERE, ANSWER)
    assert place is not None
    assert bound_value(value, place, HERE, SEEN) == here


def test_only_a_part_of_a_value_may_have_been_said() -> None:
    place = place_of("LN-48933", THERE, "")
    assert place is not None and place.part == "48933"
    assert bound_value("LN-48933", place, HERE, "") == "LN-12345"


def test_what_cannot_be_found_is_a_slot_and_no_foreign_value_is_told() -> None:
    (call,) = lifted_calls([hit("refund", order="LN-48933", amount=21.5, to="card")], HERE, "")
    assert call.text == "refund(order=‹in an answer›, amount=‹worked out›, to='card')"


def test_what_like_cases_have_in_common_stays() -> None:
    other = hit(
        "refund", "Lost: 50001!", "LN-50001", near=0.5, episode="f", order="LN-50001", amount=5.0
    )
    (call,) = lifted_calls([hit("refund", order="LN-48933", amount=5.0), other], HERE, SEEN)
    assert call == ("refund(order='LN-12345', amount=5.0)", 2)


def test_what_was_refused_or_did_not_help_is_not_told() -> None:
    bad = [hit("refund", gain=-0.5), hit("reship", error="out of stock"), hit("look", gain=0.0)]
    assert lifted_calls(bad, HERE, SEEN) == []


def test_a_call_that_needs_a_number_is_left_out_where_the_task_has_none() -> None:
    by_number = hit("find_order", text="", order="LN-48933")
    by_name = hit("find_customer", text="", near=0.4, name="Mira Holm")
    told = lifted_calls([by_number, by_name], "My order never came. Hugo Brandt", "")
    assert [call.text for call in told] == ["find_customer(name='Hugo Brandt')"]


def test_the_likest_come_first() -> None:
    far = [hit("reship", near=0.2, sku="GD-18") for _ in range(3)]
    told = lifted_calls([*far, hit("check_stock", near=0.9, sku="GD-18")], HERE, SEEN)
    assert [(call.text, call.moments) for call in told] == [
        ("check_stock(sku='GD-04')", 1),
        ("reship(sku='GD-04')", 3),
    ]


def test_a_price_is_found_however_many_zeros_it_ends_with() -> None:
    place = place_of(139.5, "the bookshelf", "FU-08 bookshelf 139.50. Total 200.00")
    assert place is not None and place.form == "139.50" and place.named
