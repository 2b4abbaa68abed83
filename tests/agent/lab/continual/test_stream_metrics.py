"""The measures of a stream, by hand."""

import numpy as np
import pytest

from lichen.agent.lab.continual.stream_metrics import measure, paired


def test_measures_of_a_matrix_made_by_hand() -> None:
    right = np.array(
        [  # stage by family by decision
            [[1, 0, 0, 0], [0, 0, 0, 0], [1, 1, 0, 0]],
            [[1, 1, 1, 0], [1, 0, 0, 0], [1, 1, 0, 0]],
            [[1, 1, 1, 1], [1, 1, 0, 0], [1, 1, 1, 0]],
            [[0, 1, 0, 0], [1, 1, 1, 0], [1, 1, 1, 1]],
        ],
        bool,
    )
    m = measure(right, seed=0)
    assert m.matrix[1] == (0.75, 0.25, 0.5)
    assert m.accuracy.mean == pytest.approx((0.25 + 0.75 + 1.0) / 3)
    assert m.learning_accuracy.mean == pytest.approx((0.75 + 0.5 + 1.0) / 3)
    assert m.backward.mean == pytest.approx(((0.25 - 0.75) + (0.75 - 0.5)) / 2)
    assert m.forward.mean == pytest.approx(((0.25 - 0.0) + (0.75 - 0.5)) / 2)
    assert m.forgetting.mean == pytest.approx(((1.0 - 0.25) + (0.5 - 0.75)) / 2)
    assert m.negative_flips is not None and m.negative_flips.mean == pytest.approx(2 / 5)
    assert m.base_flips is not None and m.base_flips.mean == pytest.approx(1 / 3)
    assert m.plasticity.mean == pytest.approx(0.5)
    assert m.backward.low < m.backward.mean < m.backward.high
    assert measure(right, seed=0) == m
    assert paired(right, right[:1], seed=0).mean == pytest.approx((1 + 3 + 4 - 3) / 12)


def test_where_nothing_was_right_there_is_no_flip_to_count() -> None:
    m = measure(np.zeros((3, 2, 4), bool), seed=0)
    assert m.negative_flips is None and m.base_flips is None
    assert (m.backward.mean, m.accuracy.high) == (0.0, 0.0)
