"""What protects on this machine: every layer, tried out in children, with what it does or why it is missing."""

import shutil

from .errors import JailUnavailable
from .start import WALLS, Child, Setting, started
from .types import Layer, Level

_MEANING = {
    "rlimits": "processor time, memory, file size and open files are limited",
    "namespaces": "an own network, mounts, host name and message queues",
    "scratch": "the scratch folder is all of the file system that exists",
    "identity": "code runs as nobody, without capabilities",
    "no_new_privs": "rights cannot be gained",
    "landlock": "the kernel refuses files, TCP, signals and abstract sockets outside",
    "seccomp": "the kernel refuses every system call that is not on a list",
}
_TOOLS: tuple[tuple[Level, str], ...] = (("bubblewrap", "bwrap"), ("docker", "docker"))


def layers(missing: tuple[str, ...] = ()) -> tuple[Layer, ...]:
    """Return the layers: walls in the order of building, what follows from them, then the levels.

    Args:
        missing: Walls that are treated as absent.
    """
    probe, why = _try(Setting(missing=missing, probing=True))
    stands, lacks = (probe.stands, probe.lacks) if probe is not None else ({}, {})
    found = [
        Layer(
            name=name,
            present=name in stands,
            detail=f"{_MEANING[name]}: {stands[name]}" if name in stands else lacks.get(name, why),
        )
        for name in WALLS
    ]
    network = "no socket can be made" if "seccomp" in stands else "sockets can be made"
    if "namespaces" in stands:
        network += "; the network namespace has not even a loopback"
    paths = "no foreign path exists for it" if "scratch" in stands else "no path can be named"
    found += [
        Layer(
            name="network",
            present="seccomp" in stands or "namespaces" in stands,
            detail=network,
        ),
        Layer(
            name="stat",
            present="seccomp" in stands or "scratch" in stands,
            detail=paths if "seccomp" in stands or "scratch" in stands else "paths can be probed",
        ),
        Layer(
            name="environment",
            present=probe is not None,
            detail="a child has none of the parent's variables and descriptors, and an own session",
        ),
        _level(Setting(missing=missing)),
    ]
    for level, program in _TOOLS:
        if shutil.which(program) is None:
            found.append(
                Layer(
                    name=f"level {level}", present=False, detail=f"{program} is not installed here"
                )
            )
        else:
            found.append(_level(Setting(level=level)))
    return tuple(found)


def _try(setting: Setting) -> tuple[Child | None, str]:
    """Start a child and end it; return it, or why there is none."""
    try:
        child = started(setting)
    except JailUnavailable as error:
        return None, str(error)
    child.end()
    return child, ""


def _level(setting: Setting) -> Layer:
    child, why = _try(setting)
    detail = why if child is None else f"works: {', '.join(child.stands)}"
    return Layer(name=f"level {setting.level}", present=child is not None, detail=detail)
