"""Scores of numbered options, read off log-probabilities in the forms that tokenizers give them."""

import pytest

from lichen.agent.llm.numbered import number_scores


def test_numbers_that_are_one_token_each_are_scored_as_they_are() -> None:
    top = [{'{"number":': 0.0}, {" 1": -0.1, " 12": -3.0, " 3": -4.0}, {"}": 0.0}]
    assert number_scores(top, 15) == {1: -0.1, 12: -3.0, 3: -4.0}


def test_numbers_that_are_written_digit_by_digit_are_told_apart_by_the_next_digit() -> None:
    top = [{"{": 0.0}, {"1": -0.1, "3": -3.0}, {"2": -0.2, "}": -1.7, "5": -9.0}, {"}": 0.0}]
    found = number_scores(top, 13)
    assert found == {
        1: pytest.approx(-1.8),
        12: pytest.approx(-0.3),
        3: -3.0,
    }


def test_the_last_number_counts_and_none_is_no_score() -> None:
    thought = [{"2": 0.0}, {" is wrong: ": 0.0}, {"1": -0.5, "2": -1.0}]
    assert number_scores(thought, 3) == {1: -0.5, 2: -1.0}
    assert number_scores([{"a": 0.0}], 3) == {} == number_scores([], 3)
