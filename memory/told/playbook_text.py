"""A playbook as a model reads it before a task: its bullets, made harmless, below one sentence."""

from collections.abc import Sequence

from .memory_block import quotable

_LEAD = "Rules that helped in earlier tasks of this kind:"


def playbook_text(bullets: Sequence[str]) -> str:
    """Return the text that stands among a model's instructions; empty where there are no bullets.

    >>> playbook_text(["Open it first."]).splitlines()[1]
    '- Open it first.'
    """
    if not bullets:
        return ""
    return "\n".join([_LEAD, *(f"- {' '.join(quotable(bullet))}" for bullet in bullets)])
