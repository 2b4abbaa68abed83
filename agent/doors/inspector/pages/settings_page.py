"""Settings and doctor: what is on, where it came from, what works here."""

import asyncio

from fastapi import APIRouter, Request
from starlette.responses import Response

from ....health import health
from ..look.rendering import page
from ..seen.setting_list import setting_lines
from .callers import Sitting, TheInspected

router = APIRouter(prefix="/settings")


@router.get("")
async def settings(
    request: Request, session: Sitting, inspected: TheInspected, full: bool = False
) -> Response:
    """Show the settings, and what is installed; `full`: try models and environments too (a minute)."""
    findings = await asyncio.to_thread(
        lambda: list(health(inspected.folder, quick=not full, trying=lambda _: None))
    )
    return page(
        request,
        "settings.html",
        session,
        lines=setting_lines(inspected.config),
        findings=findings,
        full=full,
    )
