"""Cases with the corrections of a person: derived from the events as they would have been.

A corrected step is corrected wherever its words stand: in the case of its episode and of its subtask too.
Every case keeps the id that it was learned under. Pure.
"""

import ast
from collections.abc import Iterable, Sequence
from dataclasses import replace
from typing import Any, NamedTuple

from ...envs.errors import UsageError
from ...envs.tools import Call, ToolSpec, read_call, worded_call
from ..ledger.curation_events import CaseEdited
from ..ledger.events import Stepped
from ..ledger.records import EpisodeCase, MemoryRecord, StepCase, SubtaskCase
from .case_module import step_id
from .ended_episode import EndedEpisode
from .module import MemoryModule

EDITABLE: dict[type[MemoryRecord], tuple[str, ...]] = {
    StepCase: ("action", "answer", "error"),
    EpisodeCase: ("goal", "plan"),
    SubtaskCase: ("text", "result"),
}
"""Class of a case -> what a person may correct in it."""


class Edit(NamedTuple):
    """A correction, and who made it."""

    event: CaseEdited
    actor: str


def editable(record: MemoryRecord) -> dict[str, str]:
    """Return what a person may correct in a record: field -> text; a plan has a line a subtask."""
    fields = EDITABLE.get(type(record), ())
    held = {field: getattr(record, field) for field in fields}
    return {f: said if isinstance(said, str) else "\n".join(said) for f, said in held.items()}


def derived(
    modules: Iterable[MemoryModule], episode: EndedEpisode, edits: Sequence[Edit]
) -> list[MemoryRecord]:
    """Return what an ended episode leaves, corrected."""
    told = list(modules)
    made = [module.derive(episode) for module in told]
    if not edits:
        return [record for part in made for record in part]
    texts: dict[str, dict[str, str]] = {}
    by: dict[str, str] = {}
    for edit in edits:
        by[edit.event.target] = edit.actor
        for change in edit.event.changes:
            texts.setdefault(edit.event.target, {})[change.field] = change.text
    again = _corrected(episode, texts)
    found: list[MemoryRecord] = []
    for module, first in zip(told, made, strict=True):
        # what derives no records only takes note, and has taken note of what was really done
        now = module.derive(again) if module.kinds and again is not episode else first
        if len(now) != len(first):
            found += now
            continue
        for old, new in zip(first, now, strict=True):
            new = new.model_copy(update={"id": old.id, **_told(new, texts.get(old.id, {}))})
            if new != old:
                actor = by.get(old.id, edits[-1].actor)
                new = new.model_copy(update={"edited": actor})
            found.append(new)
    return found


def _corrected(episode: EndedEpisode, texts: dict[str, dict[str, str]]) -> EndedEpisode:
    """Return an episode with its steps as they were corrected; itself where none was."""
    rows = list(episode.rows)
    for n, row in enumerate(rows):
        event = row.event
        if isinstance(event, Stepped) and (said := texts.get(step_id(episode.id, event))):
            changed: dict[str, Any] = {
                "action": said.get("action", event.action),
                "observation": said.get("answer", event.observation),
                "error": said.get("error", event.error),
            }
            if "action" in said and event.call is not None:
                changed["call"] = _called(event.call, said["action"], episode.started.env)
            rows[n] = row._replace(event=event.model_copy(update=changed))
    return replace(episode, rows=tuple(rows)) if rows != list(episode.rows) else episode


def _told(record: MemoryRecord, said: dict[str, str]) -> dict[str, Any]:
    """Return the fields of a record that were corrected."""
    here = {field: text for field, text in said.items() if field in editable(record)}
    if "plan" in here:
        return {**here, "plan": tuple(line for line in here["plan"].splitlines() if line.strip())}
    return here


def _called(old: Call, action: str, env: str) -> Call | None:
    """Return a corrected action as a call of the same tool; None where it is none."""
    try:
        node = ast.parse(action.strip(), mode="eval").body
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        node = None
    if isinstance(node, ast.Call):
        names: dict[str, Any] = {word.arg: {} for word in node.keywords if word.arg}
        spec = ToolSpec(name=old.tool, parameters={"type": "object", "properties": names})
        try:
            return old.model_copy(update={"arguments": read_call(action, [spec]).arguments})
        except UsageError:
            return None
    if old.version.startswith(f"{env} "):  # plain words: the verb is the tool
        return worded_call(env, action, old.version.removeprefix(f"{env} "))
    return None
