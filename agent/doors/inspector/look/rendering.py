"""Pages from templates. Whatever stands in them is text: escaped, and what would turn it around written out."""

import json
from collections import defaultdict
from datetime import datetime
from functools import cache
from importlib.metadata import version
from pathlib import Path
from typing import Any
from urllib.parse import quote, urlencode

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup, escape
from starlette.requests import Request
from starlette.responses import HTMLResponse

from .....envs.shown_text import shown
from ..access.signing_in import Session
from ..seen.inspected import Inspected

HERE = Path(__file__).parent
NAV = (
    ("", "Overview", "o"),
    ("episodes", "Episodes", "e"),
    ("memory", "Memory", "m"),
    ("playbook", "Playbook", "p"),
    ("skills", "Skills", "s"),
    ("tools", "Tools", "t"),
    ("settings", "Settings", "c"),
)
"""Path, name, and the key that goes there after `g`."""


def page(
    request: Request, name: str, session: Session | None, status: int = 200, **held: Any
) -> HTMLResponse:
    """Return a page.

    Args:
        request: It answers.
        name: Of the template.
        session: Who sits before it; None: nobody signed in.
        status: Of the answer.
        held: What the template shows.
    """
    root = str(request.scope.get("root_path", ""))
    inspected: Inspected = request.app.state.inspected

    def at(path: str = "", **query: Any) -> str:
        given = {key: value for key, value in query.items() if value not in (None, "")}
        asked = f"?{urlencode(given)}" if given else ""
        return f"{root}/{path}{asked}"

    below = str(request.scope["path"]).removeprefix(root).strip("/")
    text = (
        _templates()
        .get_template(name)
        .render(
            at=at,
            here=below.partition("/")[0],
            nav=NAV,
            query=defaultdict(str, request.query_params),
            csrf=session.csrf if session is not None else "",
            signed_in=session is not None and bool(session.csrf),
            who=session.key.name if session is not None else "",
            may_edit=session is not None and session.may_edit and inspected.may_change,
            may_edit_skills=session is not None and session.may_edit,
            why_not=inspected.why_not,
            store=str(inspected.folder),
            version=version("lichen"),
            **held,
        )
    )
    return HTMLResponse(text, status)


@cache
def _templates() -> Environment:
    made = Environment(
        loader=FileSystemLoader(HERE / "templates"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        finalize=_finalised,
    )
    made.filters |= {
        "when": _when,
        "iso": lambda at: datetime.fromtimestamp(at).astimezone().isoformat("T", "seconds"),
        "short": _short,
        "tail": lambda text, most: text if len(text) <= most else f"…{text[1 - most :]}",
        "signed": lambda value: "–" if value is None else f"{value:+.2f}",
        "share": lambda value: "–" if value is None else f"{value:.0%}",
        "two": lambda value: "–" if value is None else f"{value:.2f}",
        "count": lambda value: f"{value:,}".replace(",", "\u202f"),
        "exact": lambda text: escape(str(text)),  # in a field: what it says is sent back
        "part": lambda text: quote(str(text), safe=""),
        "pretty": lambda value: json.dumps(value, indent=1, ensure_ascii=False, default=str),
    }
    return made


def _finalised(value: Any) -> Any:
    if isinstance(value, str) and not isinstance(value, Markup):
        return shown(value)
    return value


def _short(text: str, most: int) -> str:
    """Return the beginning of a text in one line, an ellipsis where more follows."""
    line = " ".join(text[: 4 * most].split())
    return line if len(line) <= most and len(text) <= 4 * most else f"{line[: most - 1]}…"


def _when(at: float) -> str:
    return datetime.fromtimestamp(at).strftime("%d %b %Y %H:%M")
