"""Spans for OpenTelemetry by its semantic conventions for generative AI, where the application has set it up.

Without OpenTelemetry in the process nothing is imported and nothing is done. Names, counts and times are told;
texts only where the conventions' own variable OTEL_INSTRUMENTATION_GENAI_CAPTURE_MESSAGE_CONTENT says `true`,
and keys never.
"""

import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from ...envs.secrets import without_secrets

CONTENT = "OTEL_INSTRUMENTATION_GENAI_CAPTURE_MESSAGE_CONTENT"


class Noting:
    """Takes what is known of a span while it is open."""

    def __init__(self, span: Any = None) -> None:
        self._span = span

    def note(self, **attributes: Any) -> None:
        """Set attributes; `__` in a name stands for a dot, None is left out."""
        if self._span is not None:
            for name, value in attributes.items():
                if value is not None:
                    self._span.set_attribute(name.replace("__", "."), value)

    def content(self, **texts: str) -> None:
        """Set attributes that are texts of users, models or tools, where that was asked for."""
        if self._span is not None and os.environ.get(CONTENT, "").lower() == "true":
            self.note(**{name: without_secrets(text) for name, text in texts.items()})

    def failed(self, kind: str) -> None:
        """Say that it failed, and by which kind of error."""
        if self._span is not None:
            from opentelemetry.trace import StatusCode

            self.note(error__type=kind)
            self._span.set_status(StatusCode.ERROR)


@contextmanager
def span(name: str, *, client: bool = False, **attributes: Any) -> Iterator[Noting]:
    """Open a span.

    Args:
        name: As the conventions have it, for example `chat MODEL`.
        client: Whether it is a call of something outside.
        attributes: See `Noting.note`.
    """
    api = sys.modules.get("opentelemetry.trace")
    if api is None:
        yield Noting()
        return
    kind = api.SpanKind.CLIENT if client else api.SpanKind.INTERNAL
    with api.get_tracer("lichen").start_as_current_span(
        name, kind=kind, record_exception=False, set_status_on_exception=False
    ) as opened:
        noting = Noting(opened if opened.is_recording() else None)
        noting.note(**attributes)
        try:
            yield noting
        except BaseException as error:
            noting.failed(type(error).__name__)
            raise
