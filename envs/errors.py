"""What can go wrong on purpose, on every floor.

One base class; a subclass says whose fault it is, `hint` what to do next, `retryable` whether to try again.
"""

import difflib
from collections.abc import Iterable


class LichenError(Exception):
    """Base of every error that Lichen raises itself.

    Attributes:
        hint: One sentence that says what to do next; shown under the message.
        retryable: Whether the same call may succeed later (a time-out, a full queue).
    """

    hint: str = ""
    retryable: bool = False

    def __init__(self, message: str, *, hint: str | None = None) -> None:
        super().__init__(message)
        if hint is not None:
            self.hint = hint
        if self.hint:
            self.add_note(f"hint: {self.hint}")


class UnknownName(LichenError):
    """A name was asked for that is not registered.

    >>> str(UnknownName("environment", "twxx", ["twx", "alfworld"]))
    "there is no environment 'twxx'; did you mean 'twx'? Known: alfworld, twx"
    """

    def __init__(
        self, kind: str, name: str, known: Iterable[str], *, hint: str | None = None
    ) -> None:
        known = sorted(known)
        near = difflib.get_close_matches(name, known, n=1)
        guess = f"; did you mean {near[0]!r}?" if near else ";"
        shown = ", ".join(known[:40]) + (" ..." if len(known) > 40 else "")
        super().__init__(f"there is no {kind} {name!r}{guess} Known: {shown}", hint=hint)


class MissingExtra(LichenError):
    """An optional package that this part needs is not installed."""

    def __init__(self, part: str, extra: str, package: str) -> None:
        super().__init__(
            f"{part} needs the package {package!r}, which is not installed",
            hint=f"pip install 'lichen[{extra}]'",
        )


class MissingData(LichenError):
    """A data folder or file that this part needs is not there."""


class BadFile(LichenError):
    """A file that a person wrote cannot be read as what it should be."""


class EnvironmentFault(LichenError):
    """The environment itself broke (its JVM died, its process hangs): the outcome is unknown, not a failure."""

    hint = "The task was recorded as unknown; run the same command again to retry it."
    retryable = True


class EpisodeOver(LichenError):
    """The episode has ended, so a skill cannot act on; it ends the skill and is nobody's failure."""


class UsageError(LichenError):
    """A call or an option that cannot be right."""
