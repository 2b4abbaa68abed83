"""The help desk: gold wins all 120 tickets, every house rule bites, and ignorance of them loses."""

import hashlib
import re
import subprocess
import sys

import pytest

from lichen.envs import UnknownName, UsageError, load_suite, make
from lichen.envs.support.rules import RULE_SETS, RULES, wanted
from lichen.envs.support.shop import bookings, opened
from lichen.envs.support.tickets import shop_image, tickets
from lichen.envs.tools import write_call
from lichen.envs.types import SPLITS, Transition
from lichen.envs.verify import sample, verify


def play(task_id: str, *calls: str) -> Transition:
    """Play calls from the beginning, and return what the last one came to."""
    environment = make("support")
    environment.reset(task_id)
    return [environment.step(call) for call in calls][-1]


def gold(task_id: str) -> tuple[str, ...]:
    environment = make("support")
    environment.reset(task_id)
    return environment.gold() or ()


def the(family: str, **facts: object) -> str:
    """Return the id of the first ticket of a family whose `numbered`, status or stock are these."""
    return next(
        t.id
        for t in tickets().values()
        if t.family == family
        and facts.get("status", t.order.status) == t.order.status
        and facts.get("in_stock", t.article.stock > 0) == (t.article.stock > 0)
        and facts.get("dear", t.article.cents > 100_00) == (t.article.cents > 100_00)
    )


def test_gold_wins_all_120_tickets_in_3_to_8_calls_with_short_texts() -> None:
    environment = make("support")
    tasks = sample(environment, SPLITS, None)
    assert len(tasks) == 120
    assert verify(environment, tasks).holds
    for task in tasks:
        seen = environment.reset(task.id)
        assert len(seen.goal.split()) <= 60
        calls = environment.gold() or ()
        assert 3 <= len(calls) <= 8 < environment.max_steps
        scores = [0.0]
        for call in calls:
            done = environment.step(call)
            assert len(done.observation.text) <= 200, done.observation.text
            assert not done.error
            scores.append(done.observation.score)
        assert scores == sorted(scores) and scores[-2] < 1.0 == scores[-1]


def test_the_folds_are_60_30_30_and_no_ticket_order_or_customer_is_there_twice() -> None:
    environment = make("support")
    assert [len(environment.tasks(split)) for split in SPLITS] == [60, 30, 30]
    assert environment.families() == tuple(sorted(RULES))
    found = tickets().values()
    for of in (
        {t.text for t in found},
        {t.order.id for t in found},
        {t.order.customer for t in found},
    ):
        assert len(of) == 120
    assert not any(re.search(r"LN-\d{5}", t.text) for t in found)
    suite = load_suite("support")
    assert (len(suite.task_ids("test", None)), suite.max_steps) == (30, make("support").max_steps)


def test_another_process_makes_the_same_tickets() -> None:
    digest = (
        "import hashlib; from lichen.envs.support.tickets import tickets, shop_image;"
        "print(hashlib.sha256(repr(sorted(tickets().items())).encode()).hexdigest())"
    )
    told = subprocess.run(
        [sys.executable, "-c", digest], capture_output=True, text=True, check=True
    )
    mine = hashlib.sha256(repr(sorted(tickets().items())).encode()).hexdigest()
    assert told.stdout.strip() == mine
    assert mine[:12] == "a71b394f6713"


def test_closing_at_once_wins_nothing_and_the_supervisor_says_the_rule() -> None:
    for ticket in tickets().values():
        done = play(ticket.id, "finish(answer='Sorry.')")
        assert done.terminated and not done.observation.won and done.observation.score == 0
        assert done.observation.text == f"Closed wrongly. House rule: {RULES[ticket.family]}"


def test_every_tool_is_needed_and_one_effect_too_many_loses() -> None:
    used = {call.split("(")[0] for task_id in tickets() for call in gold(task_id)}
    assert used == {spec.name for spec in make("support").tools()}
    for family in RULES:
        task_id = the(family)
        *calls, end = gold(task_id)
        order = tickets()[task_id].order.id
        extra = f"refund(order={order!r}, amount=0.5, to='card')"
        done = play(task_id, *calls, extra, end)
        assert not done.error and done.terminated and not done.observation.won
        assert 0 < done.observation.score < 1  # what was done rightly stays, and no more


def test_order_numbers_have_the_house_form_and_the_refusal_says_so() -> None:
    for written in ("47110", "order 47110", "LN47110", "ln-47110", "LN-4711"):
        done = play(the("late"), f"find_order(order={written!r})")
        assert "LN- and its five digits" in done.error
    assert "no order LN-00001" in play(the("late"), "find_order(order='LN-00001')").error


def test_a_large_refund_needs_an_approval_with_a_code_of_the_shop() -> None:
    task_id = the("broken", dear=True)
    look, approve, pay, end = gold(task_id)[-4:]
    assert "above 100.00 EUR an approval is needed first" in play(task_id, look, pay).error
    worded = approve.replace("'BRK'", "'broken'")
    assert "BRK (broken), LAT (late)" in play(task_id, worded).error
    assert not play(task_id, approve.replace("BRK", "LAT"), pay, end).observation.won
    assert play(task_id, approve, pay, end).observation.won
    assert "approved already" in play(task_id, approve, approve).error


def test_contract_customers_get_credit_and_only_the_outcome_says_so() -> None:
    task_id = the("contract", dear=True)
    pay, end = gold(task_id)[-2:]
    by_card = pay.replace("'credit'", "'card'")
    assert play(task_id, by_card).error == ""
    lost = play(task_id, by_card, end)
    assert not lost.observation.won and "store credit" in lost.observation.text
    assert "(contract)" in play(task_id, *gold(task_id)[:1]).observation.text


def test_a_late_order_gets_ten_percent_and_another_amount_loses() -> None:
    task_id = the("late")
    total = tickets()[task_id].order.cents
    order = tickets()[task_id].order.id
    won = [
        play(
            task_id,
            write_call("refund", {"order": order, "amount": cents / 100, "to": "card"}),
            "finish(answer='Sorry.')",
        ).observation.won
        for cents in (total // 10, total // 5, total)
    ]
    assert won == [True, False, False]


def test_nothing_is_sent_again_without_a_look_at_the_stock_of_this_very_article() -> None:
    task_id = the("missing", in_stock=True)
    check, again, end = gold(task_id)[-3:]
    assert "was not checked" in play(task_id, again).error
    other = "check_stock(sku='LP-27')"
    assert "was not checked" in play(task_id, other, again).error
    assert play(task_id, check, again, end).observation.won
    assert "is not in" in play(task_id, other, again.split(", sku")[0] + ", sku='LP-27')").error
    gone = tickets()[the("missing", in_stock=False)]
    reship = write_call("reship", {"order": gone.order.id, "sku": gone.article.sku})
    stock = write_call("check_stock", {"sku": gone.article.sku})
    assert "refunded instead" in play(gone.id, stock, reship).error


def test_an_address_is_changed_once_and_not_after_shipping() -> None:
    late = tickets()[the("address", status="shipped")]
    change = write_call("change_address", {"order": late.order.id, "address": late.new_address})
    assert "has shipped" in play(late.id, change).error
    early = the("address", status="processing")
    *_, change, end = gold(early)
    assert "changed already" in play(early, change, change).error
    loosely = change.lower().replace(",", " ,").replace("ln-", "LN-").replace(" ,", ",", 1)
    assert play(early, loosely, end).observation.won


def test_a_refund_is_no_more_than_the_total_and_arguments_are_typed() -> None:
    ticket = tickets()[the("broken", dear=False)]
    for arguments, why in (
        ({"amount": 9999, "to": "card"}, "total of"),
        ({"amount": -1, "to": "card"}, "between"),
        ({"amount": float("nan"), "to": "card"}, "no literal"),
        ({"amount": 1.0, "to": "cash"}, "one of 'card', 'credit'"),
        ({"amount": "all", "to": "card"}, "kind number"),
    ):
        done = play(ticket.id, write_call("refund", {"order": ticket.order.id, **arguments}))
        assert why in done.error
        assert done.observation.text == f"Error: {done.error}"
    assert "no customer" in play(ticket.id, "find_customer(name='Nobody')").error
    assert "no SKU" in play(ticket.id, "check_stock(sku='kettle')").error


def test_the_judge_reads_the_database_and_facts_count_what_it_reads() -> None:
    task_id = the("lost")
    environment = make("support")
    assert bookings(opened(shop_image())) == []
    environment.reset(task_id)
    for call in gold(task_id)[:-1]:
        environment.step(call)
    assert environment.facts()["made.reshipment"] == len(tickets()[task_id].order.articles)
    assert environment.facts()["made.refund"] == 1
    assert {e.kind for e in wanted(tickets()[task_id], RULE_SETS["first"])} == {
        "reshipment",
        "refund",
    }
    here = environment.snapshot()
    assert environment.step("finish(answer='Done.')").observation.won
    assert environment.restore(here).won is False
    assert environment.step("finish(answer='Done.')").observation.won
    environment.reset(the("late"))
    with pytest.raises(UsageError, match="not of the task"):
        environment.restore(here)
    with pytest.raises(UnknownName):
        environment.tasks("test", ["returns"])
    environment.close()
