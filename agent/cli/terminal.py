"""The console of tables and colours: what is told on it is shown, and never obeyed (see `shown`)."""

from collections.abc import Iterable

from rich.console import Console, ConsoleOptions, RenderableType
from rich.segment import Segment

from ...envs.shown_text import shown


class Terminal(Console):
    """A console of rich whose texts are shown, and never obeyed."""

    def render(
        self, renderable: RenderableType, options: ConsoleOptions | None = None
    ) -> Iterable[Segment]:
        """Render; what are no control codes of rich's own is text."""
        for segment in super().render(renderable, options):
            yield segment if segment.control else segment._replace(text=shown(segment.text))
