"""What is forgotten in the ledger and may still lie in files beside it; kept until they are gone too."""

from collections.abc import Sequence

import sqlalchemy as sa
from sqlalchemy.engine import Connection, Engine

from ..ledger.sqlite import reading, writing

_meta = sa.MetaData()
_table = sa.Table("forgetting", _meta, sa.Column("episode", sa.Text, primary_key=True))


class Pending:
    """Episodes whose forgetting is not finished.

    Args:
        engine: Of the store's file.
    """

    def __init__(self, engine: Engine) -> None:
        self._engine = engine

    def create(self) -> None:
        """Create the table where it is missing."""
        with writing():
            _meta.create_all(self._engine)

    def mark(self, connection: Connection, episodes: Sequence[str]) -> None:
        """Note episodes in the transaction that forgets them."""
        known = set(connection.scalars(sa.select(_table.c.episode)))
        for episode in sorted(set(episodes) - known):
            connection.execute(sa.insert(_table).values(episode=episode))

    def episodes(self) -> list[str]:
        """Return what was marked and not cleared."""
        with reading(), self._engine.connect() as connection:
            return list(connection.scalars(sa.select(_table.c.episode)))

    def clear(self) -> None:
        """Forget the marks: everything is gone."""
        with writing(), self._engine.begin() as connection:
            connection.execute(sa.delete(_table))
