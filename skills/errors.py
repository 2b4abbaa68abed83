"""What the skill library can raise."""

from ..envs.errors import LichenError


class BadSkill(LichenError):
    """A skill's folder, contract or code is not what it should be."""

    hint = "`lichen skills show NAME` prints a sound one; `lichen skills new` writes one to start from."


class UnknownSkill(LichenError):
    """No skill of the library has this name or version."""

    hint = "`lichen skills list` names them."


class SkillChanged(LichenError):
    """Somebody changed a skill after the text was made that should take its place."""

    hint = "Look at what it is now, and put your change into that."


class LibraryUnwritable(LichenError):
    """The library's folder refuses to be written, or another process writes it."""

    hint = "Wait until the other command ends, or name another folder with `--library`."
    retryable = True


class Undecided(LichenError):
    """A skill could not be tested because something broke that is not the skill's fault."""

    hint = "Nothing was changed; say the same again when the environment or the jail works."
    retryable = True
