"""What a stream of learning episodes came to."""

from ..envs.types import Record
from .episode.run_episode import EpisodeResult


class LearnReport(Record):
    """What a stream of learning episodes came to."""

    run: str
    episodes: tuple[EpisodeResult, ...]
    resumed: int
    """Episodes that were already done when the command began."""
    fingerprint_before: str
    fingerprint_after: str

    @property
    def success(self) -> float:
        """Share of the known outcomes that are successes; 0 when there is none."""
        known = [e for e in self.episodes if e.outcome != "unknown"]
        return sum(e.outcome == "success" for e in known) / len(known) if known else 0.0
