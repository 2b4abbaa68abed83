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


class BadDemonstration(LichenError):
    """A line of a demonstrations file is not a demonstration."""

    hint = "`lichen memory import --help` shows the form of a line; nothing was imported."
