"""The jail: a fresh confined process for every run, taken from a pool of ready ones or started cold.

Knows when children are started and by whom; how is in `start`, what happens in a run in `supervise`.
"""

import os
import re
import threading
import time
from collections.abc import Mapping
from types import TracebackType
from typing import Self

from ...envs.errors import UnknownName
from .errors import JailUnavailable
from .start import Child, Setting, started
from .supervise import Supervisor
from .types import JSON, LEVELS, MODULES, Level, Limits, Program, Ran, Serve

_WORD = re.compile(r"\w+")
_MOST_FAULTS = 3
"""Children in a row that could not be started, after which the pool is given up; runs then say `broken`."""


class Jail:
    """Runs programs, each in a process of its own that is used once; may be used from several threads.

    Args:
        setting: How children are made.
        warm: Confined children that wait for a program each. They are started in the background by one
            thread that lives as long as the jail, because a child dies with the thread that started it.

    Raises:
        JailUnavailable: A wall cannot be built here.
    """

    def __init__(self, setting: Setting, *, warm: int = 0) -> None:
        self.setting = setting
        self.level: Level = setting.level
        self._warm = warm
        self._ready: list[Child] = []
        self._changed = threading.Condition()
        self._closed = False
        self._faults = 0
        self._owner = os.getpid()
        child = started(setting)
        self.walls: Mapping[str, str] = child.stands
        """What stands around a child, by name."""
        child.end()
        self._keeper: threading.Thread | None = None
        if warm:
            self._keeper = threading.Thread(target=self._keep, name="lichen-jail", daemon=True)
            self._keeper.start()

    def run(
        self,
        program: Program,
        arguments: Mapping[str, JSON],
        serve: Serve,
        limits: Limits | None = None,
    ) -> Ran:
        """Run a program and return how it ended.

        Args:
            program: What to run.
            arguments: Of its entry.
            serve: The broker: answers what the program asks for, in this thread. `Stop` ends the run as
                `stopped`, `Denied` as `denied`; any other LichenError is told to the program, and what is
                none ends the run as `broken`.
            limits: Bounds; those of the jail by default.
        """
        bounds = limits or self.setting.limits
        begun = time.monotonic()
        try:
            child = self._taken(bounds) or started(self._cold(program, bounds))
        except JailUnavailable as error:
            seconds = time.monotonic() - begun
            return Ran(end="broken", error=str(error), level=self.level, seconds=seconds)
        return Supervisor(child, program, arguments, serve, bounds).run()

    def settle(self, seconds: float = 10.0) -> bool:
        """Wait until the pool is full, and say whether it is."""
        with self._changed:
            self._changed.wait_for(lambda: not self._wanting(), seconds)
            return len(self._ready) >= self._warm

    def close(self) -> None:
        """End the waiting children; only when no run goes on, since that would end its child as well."""
        with self._changed:
            self._closed = True
            self._changed.notify_all()
        if self._owner != os.getpid():
            return
        if self._keeper is not None:
            self._keeper.join()
        while self._ready:
            self._ready.pop().end()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    def _cold(self, program: Program, limits: Limits) -> Setting:
        """Return how a child for one program is made: it loads only modules whose names the sources hold.

        That is half of a cold start. A name that is put together while the code runs is not found.
        """
        words = set(_WORD.findall("\n".join(program.modules.values())))
        modules = tuple(
            name
            for name in self.setting.modules
            if name not in MODULES or name.split(".")[0] in words
        )
        return self.setting.model_copy(update={"limits": limits, "modules": modules})

    def _taken(self, limits: Limits) -> Child | None:
        """Return a ready child whose built-in limits are the wanted ones, or None."""
        own = self.setting.limits
        fixed = ("cpu_seconds", "memory_mb", "file_mb")
        if any(getattr(own, name) != getattr(limits, name) for name in fixed):
            return None
        if self._owner != os.getpid():  # after a fork the children are the other process's
            return None
        while True:
            with self._changed:
                if not self._ready:
                    return None
                child = self._ready.pop(0)
                self._changed.notify_all()
            if child.process.poll() is None:
                return child
            child.end()

    def _keep(self) -> None:
        """Hold the pool full until the jail is closed."""
        while True:
            with self._changed:
                self._changed.wait_for(lambda: self._closed or self._wanting())
                if self._closed:
                    return
            try:
                child = started(self.setting)
            except JailUnavailable:  # the next run starts cold, and says why that does not work
                with self._changed:
                    self._faults += 1
                    self._changed.notify_all()
                continue
            with self._changed:
                self._faults = 0
                self._ready.append(child)
                self._changed.notify_all()

    def _wanting(self) -> bool:
        return len(self._ready) < self._warm and self._faults < _MOST_FAULTS


def open_jail(
    level: str | None = None,
    *,
    warm: int = 0,
    limits: Limits | None = None,
    modules: tuple[str, ...] = MODULES,
    scratch: bool = True,
    missing: tuple[str, ...] = (),
) -> Jail:
    """Open a jail, after a child has shown that its walls stand.

    Args:
        level: None: `kernel`. A weaker one (`none`) has to be named.
        warm: Children that wait ready.
        limits: Of runs that bring none, and of the waiting children.
        modules: What a program can import.
        scratch: Whether there may be a scratch folder.
        missing: Walls that are treated as absent on this machine, to see what happens without them.

    Raises:
        UnknownName: There is no such level.
        JailUnavailable: A wall of this level is missing here; nothing weaker is taken instead.
    """
    named = next((known for known in LEVELS if known == (level or "kernel")), None)
    if named is None:
        raise UnknownName("jail level", str(level), LEVELS)
    setting = Setting(
        level=named, limits=limits or Limits(), modules=modules, scratch=scratch, missing=missing
    )
    return Jail(setting, warm=warm)
