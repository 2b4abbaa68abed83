"""Ledgers that an earlier Lichen wrote, brought to the present form; nothing stored is lost."""

from contextlib import suppress

import sqlalchemy as sa
from sqlalchemy.engine import Engine

from .events import EpisodeStarted, parse
from .rows import events, make_row
from .sqlite import transaction


def migrate(engine: Engine) -> int:
    """Rewrite a first-form ledger (no ids, actors, origins) in one transaction; return its rows, or 0."""
    inspector = sa.inspect(engine)
    if not inspector.has_table(events.name):
        return 0
    if "digest" in {column["name"] for column in inspector.get_columns(events.name)}:
        return 0
    with transaction(engine) as connection:
        old = connection.exec_driver_sql(
            "SELECT seq, key, run, episode, payload, at FROM events ORDER BY seq"
        ).all()
        for index in inspector.get_indexes(events.name):
            connection.exec_driver_sql(f'DROP INDEX IF EXISTS "{index["name"]}"')
        connection.exec_driver_sql("ALTER TABLE events RENAME TO events_before")
        events.create(connection)
        chain, rows, origins = "", [], {}
        for seq, key, run, episode, payload, at in old:
            with suppress(ValueError):  # a damaged row is carried over, and named by `verify`
                event = parse(payload)
                if isinstance(event, EpisodeStarted):
                    origins[episode] = event.source
            row = make_row(
                chain,
                seq=seq,
                key=key,
                run=run,
                episode=episode,
                actor="agent",
                origin=origins.get(episode, "own"),
                parents=(),
                payload=payload,
                at=at,
            )
            chain = row["chain"]
            rows.append(row)
        if rows:
            connection.execute(sa.insert(events), rows)
        connection.exec_driver_sql("DROP TABLE events_before")
        return len(rows)
