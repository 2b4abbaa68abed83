"""What the jail can raise, and what a broker says to it."""

from ...envs.errors import LichenError


class JailUnavailable(LichenError):
    """This machine cannot give the jail that was asked for."""

    hint = "`lichen skills jail doctor` shows every layer; a weaker level has to be named."


class Denied(LichenError):
    """A broker was asked for what the program has not declared; the run ends as `denied`."""


class Stop(Exception):
    """Raised by a broker: the episode is over; the program ends at once, as `stopped`."""
