"""Namespaces: what is one user's, what is the team's, and what is everyone's.

A namespace is a path, `acme/ann`. Who reads in it sees what is in it and in every layer around it (`acme`, and
what is everyone's), and nothing else. What is written is written in it alone.
"""

import re

from ...envs.errors import UsageError

EVERYONE = ""
_PART = re.compile(r"[^/\x00-\x1f]+")
_LONGEST = 200


def checked(namespace: str) -> str:
    """Return a namespace as it is.

    Raises:
        UsageError: It is no path of names.

    >>> checked("acme/ann")
    'acme/ann'
    """
    parts = namespace.split("/") if namespace else []
    if len(namespace) > _LONGEST or not all(map(_PART.fullmatch, parts)):
        raise UsageError(
            f"{namespace!r} is no namespace",
            hint="Names with / between them, from the outside in: team/user; at most 200 characters.",
        )
    return namespace


def layers(namespace: str) -> tuple[str, ...]:
    """Return the namespaces that are seen in one, itself first, what is everyone's last.

    >>> layers("acme/ann")
    ('acme/ann', 'acme', '')
    """
    parts = namespace.split("/") if namespace else []
    return tuple("/".join(parts[:n]) for n in range(len(parts), -1, -1))


def within(namespace: str, outer: str) -> bool:
    """Return whether a namespace is another, or lies in it.

    >>> within("acme/ann", "acme"), within("acmeann", "acme"), within("acme", "")
    (True, False, True)
    """
    return not outer or namespace == outer or namespace.startswith(f"{outer}/")


def may_look(own: str, namespace: str) -> bool:
    """Return whether who acts for a namespace may look into another: in his own, and in the layers around it.

    >>> may_look("acme", "acme/ann"), may_look("acme/ann", "acme"), may_look("acme/ann", "acme/bob")
    (True, True, False)
    """
    return within(namespace, own) or namespace in layers(own)
