"""Poker: each opponent is beaten by a way of his own, chips decide, and a deal is the same everywhere."""

import hashlib
import random
import subprocess
import sys
from collections import Counter

import pytest

from lichen.envs import MissingExtra, UnknownName, load_suite, make
from lichen.envs.poker import Poker, hands
from lichen.envs.poker.players import OPPONENTS, REPLIES, Rule
from lichen.envs.poker.strength import strength
from lichen.envs.poker.table import HERO, OTHER, STACK, Bid, CardTable
from lichen.envs.types import SPLITS, Transition
from lichen.envs.verify import verify


def chips(opponent: str, rule: Rule, deals: list[str]) -> float:
    """Return the chips that a rule wins from an opponent, a hand."""
    won = 0
    for deal in deals:
        table = CardTable(deal, int(deal.rsplit("/", 1)[1]) % 2)
        while table.turn is not None:
            table.act((rule if table.turn == HERO else OPPONENTS[opponent])(table.view()))
        assert table.chips(HERO) + table.chips(OTHER) == 2 * STACK
        won += table.chips(HERO) - STACK
    return won / len(deals)


def test_the_best_reply_to_each_opponent_earns_more_than_that_to_another_over_the_120_deals() -> (
    None
):
    deals = hands(0)
    found = {
        (opponent, reply): chips(opponent, rule, deals)
        for opponent in OPPONENTS
        for reply, rule in REPLIES.items()
    }
    for opponent in OPPONENTS:
        best = found[opponent, opponent]
        others = [found[opponent, reply] for reply in REPLIES if reply != opponent]
        assert best > 1.0
        assert best > max(others) + 1.0
    # keeping what won from one costs chips against another
    assert min(found.values()) < -2.0


def test_the_seating_is_a_b_a_c_b_and_no_deal_comes_twice() -> None:
    session = hands(3)
    assert len(set(session)) == len(session) == 120
    seats = [task.split("/")[1] for task in session]
    assert [seats[n] for n in range(0, 120, 24)] == ["ada", "ben", "ada", "cleo", "ben"]
    assert Counter(seats) == {"ada": 48, "ben": 48, "cleo": 24}
    assert session == hands(3) != hands(4)
    environment = make("poker")
    assert all(environment.task(task).split == "train" for task in session)


def test_chips_are_the_score_and_a_showdown_tells_what_the_other_had() -> None:
    environment = Poker()
    ends = Counter[str]()
    for task in environment.tasks("dev"):
        seen = environment.reset(task.id)
        other = task.family.capitalize()
        assert other in seen.goal and seen.text.startswith("Both players begin with 40 chips")
        assert not seen.won and seen.score == environment._table.chips(HERO) / 80
        done: Transition | None = None
        for action in environment.gold() or ():
            done = environment.step(action)
        assert done is not None and done.terminated
        net = round(done.observation.score * 80 - 40)
        assert done.observation.won == (net > 0)
        text = done.observation.text
        assert (f"You {'win' if net > 0 else 'lose'} {abs(net)} chips." in text) == (net != 0)
        folded = "folds" in text or environment.seen().text.startswith("You lose")
        assert (f"{other} had" in text) != folded
        ends["fold" if folded else "showdown"] += 1
    assert min(ends.values()) > 10


def test_a_hand_is_told_in_words_and_a_raise_by_its_size() -> None:
    environment = make("poker")
    seen = environment.reset("poker/ben/train/8")
    assert seen.inventory == "5♦ 10♣, ten and five: a poor hand."
    assert "It is before the flop. You are on the button. Pot 3, to call 1;" in seen.text
    assert seen.admissible == (
        *("call", "fold", "raise to 4 (least)", "raise to 40 (all in)", "raise to 6 (pot)"),
    )
    seen = environment.step("call").observation
    assert seen.inventory == "5♦ 10♣, a pair of tens: a good hand."
    assert "Ben checks. It is the flop: 10♦ 7♣ 3♠." in seen.text
    done = environment.step("raise to 3")
    assert done.error and done.observation.steps == 2 and not done.terminated


@pytest.mark.parametrize(
    ("hole", "board", "said"),
    [
        ("Kh Kd", "", "a pair of kings: a strong hand"),
        ("6h 6d", "", "a pair of sixes: a good hand"),
        ("As Qd", "", "ace and queen: a strong hand"),
        ("As 4d", "", "ace and four: a fair hand"),
        ("Kh 9s", "Kd 7h 2c", "a pair of kings: a good hand"),
        ("7s 9s", "Kd 7h 2c", "a pair of sevens: a fair hand"),
        ("Jh 9s", "Kd Kh 2c", "nothing yet, jack high: a poor hand"),
        ("Jh 9s", "Jd 9h 2c", "two pair, jacks and nines: a strong hand"),
        ("2h 2s", "Kd 7h 2c", "three of a kind: a strong hand"),
        ("2h 3s", "Kd Kh Ks 7c 8c", "nothing, three high: a poor hand"),
        ("Ah 3h", "Kh 9h 2h 7c 8c", "flush: a strong hand"),
        ("2h 3s", "Th Jd Qc Ks Ad", "nothing, three high: a poor hand"),
    ],
)
def test_what_the_board_has_alone_is_nothing(hole: str, board: str, said: str) -> None:
    from texasholdem.card.card import Card

    cards = [[Card(one) for one in text.split()] for text in (hole, board)]
    assert str(strength(*cards)) == said


def test_the_library_deals_from_the_seed_and_leaves_the_process_its_own_chance() -> None:
    random.seed(5)
    CardTable("any", HERO)
    after = random.random()
    random.seed(5)
    assert after == random.random()
    table = CardTable("any", OTHER)
    assert table.turn == OTHER and table.bids()[:2] == (Bid("fold"), Bid("call"))


def test_another_process_deals_the_same_and_folds_share_no_deal() -> None:
    environment = make("poker")
    cards = [
        environment.reset(task.id).inventory
        for split in SPLITS
        for task in environment.tasks(split)[::20]
    ]
    assert len(set(cards)) > 0.9 * len(cards)
    code = (
        "import hashlib; from lichen.envs import make; e = make('poker');"
        "s = ''.join(e.reset(t.id).text + e.seen().inventory for t in e.tasks('test')[::10]);"
        "print(hashlib.sha256(s.encode()).hexdigest())"
    )
    here = "".join(
        environment.reset(t.id).text + environment.seen().inventory
        for t in environment.tasks("test")[::10]
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == hashlib.sha256(here.encode()).hexdigest()


def test_the_suite_has_120_held_out_hands_and_the_ids_are_checked() -> None:
    environment = make("poker")
    suite = load_suite("poker")
    assert len(suite.task_ids("test", None)) == len(suite.task_ids("train", 120)) == 120
    assert suite.max_steps == environment.max_steps
    report = verify(environment, environment.tasks("test", ["cleo"]))
    assert report.holds and report.without < 10  # a hand that cannot be won is none of gold's
    for wrong in ("poker/dora/test/0", "poker/ada/test/80", "poker/ada/test"):
        with pytest.raises(UnknownName):
            environment.task(wrong)


def test_without_the_library_the_extra_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "texasholdem.game.game", None)
    with pytest.raises(MissingExtra) as caught:
        make("poker")
    assert "lichen[poker]" in caught.value.hint
