"""Runs attacks in a jail and judges them: blocked, LEAK, or broken when nothing can be said."""

import os
import time
from collections.abc import Callable, Iterable
from typing import Literal

from ....envs.types import Record
from ....skills.jail.jail import Jail, open_jail
from ....skills.jail.types import End, Limits, Program, Ran
from .attack import MODULES_OF_ATTACKS, PRELUDE, Attack, Theme
from .file_attacks import FILES
from .kernel_attacks import KERNEL
from .later_attacks import LATER
from .network_attacks import NETWORK
from .process_attacks import PROCESSES
from .protocol_attacks import PROTOCOL
from .resource_attacks import RESOURCES
from .scene import Scene

Verdict = Literal["blocked", "LEAK", "broken"]

LIMITS = Limits(seconds=2.0, cpu_seconds=4, calls=100, message_kb=256)
"""Of every attack."""
_LATE = 5.0
"""Seconds after its time at which an attack that goes on is a leak; a busy machine has its share."""
_DETAIL = 300
_NAME = "attack@1"
_REFUSED = (
    *("PermissionError", "OSError", "FileNotFoundError", "BlockingIOError", "NotADirectoryError"),
    *("ChildProcessError", "FileExistsError", "gaierror"),
)
"""Errors that a wall makes."""


class AttackVerdict(Record):
    """What came of one attack."""

    name: str
    theme: Theme
    tries: str
    verdict: Verdict
    detail: str
    """What leaked, or how it was stopped."""
    end: End
    seconds: float


def attacks() -> tuple[Attack, ...]:
    """Return the attacks that can be tried on this machine.

    >>> len(attacks()) >= 45 and len({a.name for a in attacks()}) == len(attacks())
    True
    """
    every = (*FILES, *PROCESSES, *NETWORK, *KERNEL, *RESOURCES, *PROTOCOL, *LATER)
    return tuple(attack for attack in every if os.uname().machine in attack.machines)


def run_attacks(
    level: str | None = None,
    *,
    chosen: Iterable[Attack] | None = None,
    scratch: bool = True,
    warm: int = 0,
    on_judged: Callable[[AttackVerdict], None] = lambda _: None,
) -> tuple[AttackVerdict, ...]:
    """Run attacks, one after the other, and return the verdicts.

    Args:
        level: Of the jail.
        chosen: All by default.
        scratch: Whether the jail may have a scratch folder.
        warm: Children that wait ready.
        on_judged: Told of each.

    Raises:
        JailUnavailable: There is no jail of this level here.
    """
    found = []
    with (
        open_jail(
            level, limits=LIMITS, modules=MODULES_OF_ATTACKS, scratch=scratch, warm=warm
        ) as jail,
        Scene() as scene,
    ):
        for attack in attacks() if chosen is None else chosen:
            found.append(judge(attack, jail, scene))
            on_judged(found[-1])
    return tuple(found)


def judge(attack: Attack, jail: Jail, scene: Scene) -> AttackVerdict:
    """Run one attack, look at the canaries, and say what came of it."""
    program = Program(
        entry=_NAME,
        modules={_NAME: f"MACHINE = {os.uname().machine!r}\n{PRELUDE}{attack.source}"},
        functions={_NAME: "attack"},
        api=("echo", "big"),
    )
    begun = time.monotonic()
    ran = jail.run(program, {"here": scene.here}, scene.serve)
    took = time.monotonic() - begun
    hurt = scene.hurt(f"{ran.value}{ran.error}{ran.output}")
    verdict, detail = _verdict(attack, ran, hurt, took)
    return AttackVerdict(
        name=attack.name,
        theme=attack.theme,
        tries=attack.tries,
        verdict=verdict,
        detail="".join(c if c.isprintable() else " " for c in detail)[:_DETAIL],
        end=ran.end,
        seconds=took,
    )


def _verdict(attack: Attack, ran: Ran, hurt: str, took: float) -> tuple[Verdict, str]:
    if hurt:
        return "LEAK", hurt
    if ran.end == "broken":
        return "broken", ran.error
    if isinstance(ran.value, dict) and "leak" in ran.value:
        return "LEAK", str(ran.value["leak"])
    if took > LIMITS.seconds + _LATE:
        return "LEAK", f"it went on for {took:.1f} s"
    if ran.end == "raised" and not _by_a_wall(attack, ran.error):
        return "broken", f"the attack itself is wrong: {ran.error}"
    if ran.end not in attack.ends:
        return "LEAK", f"it ended as {ran.end!r} ({ran.error})"
    return "blocked", ran.error or "refused"


def _by_a_wall(attack: Attack, error: str) -> bool:
    return any(f"{name}: " in f"{error}: " for name in (*_REFUSED, *attack.errors)) or any(
        said in error for said in attack.errors
    )
