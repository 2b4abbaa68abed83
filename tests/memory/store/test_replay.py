"""Earlier states, by row, id, key and time."""

from pathlib import Path

import pytest

from lichen.envs import UsageError
from lichen.memory.ledger.ledger import open_ledger
from lichen.memory.store.replay import compare, moment, replay


def test_the_past_can_be_read_by_row_id_key_and_time(taught: Path) -> None:
    rows = list(open_ledger(taught).read())
    end = next(row for row in rows if row.key.endswith("/end"))
    assert moment(taught, end.key) == moment(taught, end.id) == moment(taught, str(end.seq))
    assert replay(taught, as_of=end.key).episodes == 1
    assert replay(taught, as_of="1999-01-01").episodes == 0
    assert replay(taught).episodes == 4
    changed = compare(taught, end.key, rows[-1].key)
    assert (len(changed.came), len(changed.went)) == (3, 0)
    with pytest.raises(UsageError, match="no moment"):
        replay(taught, as_of="yesterday-ish")
    with pytest.raises(UsageError, match="cannot be verified"):
        replay(taught, as_of=end.key, compare=True)
