"""How a held-out evaluation goes on, as two progress bars."""

from rich.progress import Progress, TaskID

from ...episode.run_episode import EpisodeResult
from .episode_row import EpisodeRow


class Bars:
    """Shows learning and evaluating as two progress bars.

    Args:
        progress: Where they are shown.
    """

    def __init__(self, progress: Progress) -> None:
        self._progress = progress
        self._bars: dict[str, TaskID] = {}
        self._wins: dict[str, list[int]] = {}
        self._tokens = self._seconds = 0.0

    def _bar(self, name: str) -> TaskID:
        if name not in self._bars:
            self._bars[name] = self._progress.add_task(name, total=None, success="", speed="")
        return self._bars[name]

    def learning(self, done: int, of: int, result: EpisodeResult | None) -> None:
        """Show how many episodes are learned."""
        self._progress.update(self._bar("learning"), completed=done, total=of)

    def evaluating(self, done: int, of: int, row: EpisodeRow) -> None:
        """Show the success so far of every arm at its latest checkpoint, and tokens per second."""
        wins = self._wins.setdefault(f"{row.arm}@{row.checkpoint}", [0, 0])
        wins[0] += row.outcome == "success"
        wins[1] += row.outcome != "unknown"
        if row.tokens_in:
            self._tokens += row.tokens_in + row.tokens_out
            self._seconds += row.seconds
        shown = " ".join(f"{k} {w}/{n}" for k, (w, n) in list(self._wins.items())[-4:])
        speed = f"{self._tokens / self._seconds:.0f} tokens/s" if self._seconds else ""
        self._progress.update(
            self._bar("evaluating"), completed=done, total=of, success=shown, speed=speed
        )
