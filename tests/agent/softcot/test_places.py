"""Where a projection lies: an exchange that was cut in two is finished."""

import shutil
from pathlib import Path

from lichen.agent.softcot.checkpoint import CARD
from lichen.agent.softcot.places import ASIDE, PREVIOUS, exchange, keep_previous, mend
from lichen.agent.softcot.soft_config import FOLDER

from .conftest import copied


def test_an_exchange_that_was_cut_in_two_is_finished(remembered: Path, tmp_path: Path) -> None:
    store = copied(remembered, tmp_path)
    own = store / FOLDER
    shutil.copytree(own, own.with_name(PREVIOUS))
    own.rename(own.with_name(ASIDE))
    mend(own)
    assert (own / CARD).exists() and not own.with_name(PREVIOUS).exists()
    shutil.copytree(own, own.with_name(PREVIOUS))
    exchange(own)
    assert (own / CARD).exists() and own.with_name(ASIDE).exists()
    (own / "training.pt").write_bytes(b"x")
    keep_previous(own)
    assert not own.exists() and not (own.with_name(PREVIOUS) / "training.pt").exists()
