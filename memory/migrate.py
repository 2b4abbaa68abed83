"""Ledgers that an earlier Lichen wrote, brought to the present form; nothing stored is lost."""

import json
from contextlib import suppress
from typing import Any

import sqlalchemy as sa
from sqlalchemy.engine import Engine
from uuid6 import uuid7

from .events import EpisodeStarted, parse
from .sqlite import transaction


def migrate(engine: Engine, table: sa.Table, digest: Any, link: Any) -> int:
    """Rewrite a first-form ledger (no ids, actors, origins) in one transaction; return its rows, or 0.

    Args:
        engine: Of the store.
        table: The events in their present form.
        digest: From `ledger`.
        link: From `ledger`.
    """
    inspector = sa.inspect(engine)
    if not inspector.has_table(table.name):
        return 0
    if "digest" in {column["name"] for column in inspector.get_columns(table.name)}:
        return 0
    with transaction(engine) as connection:
        old = connection.exec_driver_sql(
            "SELECT seq, key, run, episode, payload, at FROM events ORDER BY seq"
        ).all()
        for index in inspector.get_indexes(table.name):
            connection.exec_driver_sql(f'DROP INDEX IF EXISTS "{index["name"]}"')
        connection.exec_driver_sql("ALTER TABLE events RENAME TO events_before")
        table.create(connection)
        chain, rows, origins = "", [], {}
        for seq, key, run, episode, payload, at in old:
            with suppress(ValueError):  # a damaged row is carried over, and named by `verify`
                event = parse(payload)
                if isinstance(event, EpisodeStarted):
                    origins[episode] = event.source
            row = {
                "seq": seq,
                "id": str(uuid7()),
                "key": key,
                "run": run,
                "episode": episode,
                "actor": "agent",
                "origin": origins.get(episode, "own"),
                "parents": json.dumps(()),
                "payload": payload,
                "digest": digest(payload),
                "at": at,
            }
            chain = link(chain, row)
            rows.append(row | {"chain": chain})
        if rows:
            connection.execute(sa.insert(table), rows)
        connection.exec_driver_sql("DROP TABLE events_before")
        return len(rows)
