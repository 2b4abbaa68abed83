"""What a memory can raise."""

from ...envs.errors import LichenError


class LedgerCorrupt(LichenError):
    """A row of the ledger is not what was written; nothing was changed."""

    hint = "`lichen memory verify` lists the damaged rows; `lichen memory export` saves the sound ones."


class StoreInUse(LichenError):
    """Another process holds the store for writing."""

    hint = "Wait until it ends, or give this one its own folder with `--store`."
    retryable = True


class StoreUnwritable(LichenError):
    """The store's folder or disk refuses to be written."""

    hint = "Free some space or choose a writable folder with `--store`; what was stored before is safe."


class IndexBroken(LichenError):
    """The vector index, which is derived from the ledger, cannot be opened or does not answer."""

    hint = "Nothing learned is lost: delete the store's folder `index`, it is made again from the ledger."
    retryable = True


class UnknownCase(LichenError):
    """No case, episode or run has this id."""

    hint = "`lichen memory ls` lists the ids."


class EditConflict(LichenError):
    """Somebody else changed a field after it was read here; nothing was written.

    Attributes:
        now: What stands in the changed fields.
        wanted: What was to stand there.
    """

    hint = "Read the case again, and say what should stand there."

    def __init__(self, message: str, *, now: dict[str, str], wanted: dict[str, str]) -> None:
        super().__init__(message)
        self.now, self.wanted = now, wanted


class BadDemonstration(LichenError):
    """A line of a demonstrations file is not a demonstration."""

    hint = "`lichen memory import --help` shows the form of a line; nothing was imported."
