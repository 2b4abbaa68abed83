"""What is no part of a skill although it lies in its folder: version control, installed packages, secrets.

A skill's folder is often a clone, with an environment and keys in it. None of that is taken into a library,
which other people clone: git would run what a foreign `.git` says, and a key that was committed is public.
"""

import re
import unicodedata

from ..envs.secrets import secret_in

_FOLDERS = {
    *(".hg", ".svn", ".bzr", ".jj", ".lichen"),
    *(".venv", "node_modules", "__pycache__", "__pypackages__", ".tox", ".nox", ".eggs"),
    *(".mypy_cache", ".pytest_cache", ".ruff_cache", ".ipynb_checkpoints", ".idea"),
}
_FILES = {".ds_store", "thumbs.db", "desktop.ini", ".lichen-new"}
_OF_GIT = {".gitattributes", ".gitmodules"}
"""Files of git's that say what it runs at a checkout, and what it fetches."""
_SCRATCH = (".pyc", ".pyo", "~", ".swp", ".swo")
_SECRET_FOLDERS = {".ssh", ".aws", ".azure", ".gnupg", ".kube"}
_SECRET_NAME = re.compile(
    r"\.env(\.(?!(example|sample|template|dist|defaults?)$).+)?"
    r"|id_(rsa|dsa|ecdsa|ed25519)(_sk)?"
    r"|[._]netrc|\.pgpass|\.git-credentials|\.npmrc|\.pypirc|\.htpasswd|\.dockercfg"
    r"|credentials(\.json)?|client_secret.*\.json|service[-_]account.*\.json"
    r"|(secrets?|tokens?)\.(json|ya?ml|toml|ini|txt)|.+\.(p12|pfx|jks|keystore|kdbx|ppk)"
)
_NEEDED = ("SKILL.md", "skill.py", "contract.yaml")
"""Files without which there is no skill: a secret in them is said by whoever takes the folder in."""


def is_git(part: str) -> bool:
    """Return whether some file system takes a path's component for `.git`.

    Case, the ends that Windows cuts off, its short names and streams, and characters that macOS ignores.

    >>> is_git(".GIT"), is_git(".git. "), is_git("git~1"), is_git(".g\\u200cit"), is_git(".gitignore")
    (True, True, True, True, False)
    """
    plain = unicodedata.normalize("NFKC", part).casefold()
    plain = "".join(c for c in plain if unicodedata.category(c) not in ("Cf", "Mn"))
    plain = plain.split(":")[0].rstrip(". ")
    return plain == ".git" or re.fullmatch(r"git~\d+", plain) is not None


def why_left_out(path: str, data: bytes | None = None) -> str:
    """Return why a file or folder is no part of a skill, in words; empty when it is one.

    Args:
        path: In the skill's folder, with `/`.
        data: The file's content; None: judge by the name.
    """
    for part in path.split("/"):
        low = part.casefold()
        if is_git(part) or low in _FOLDERS or low in _OF_GIT:
            return f"{part} is no part of a skill"
        if low in _FILES or low.endswith(_SCRATCH):
            return f"{part} is only of this machine"
        if low in _SECRET_FOLDERS or _SECRET_NAME.fullmatch(low):
            return f"{part} looks like a secret"
    if data is None or path in _NEEDED:
        return ""
    return f"it holds {secret}" if (secret := secret_in(data)) else ""
