"""Runs one program in a child that is ready: answers its calls, holds its limits, says how it ended.

What a child sends is believed only in form; what it may ask for is decided here. Everything after the program
was sent is the program's doing, so only the broker's own faults end as `broken`.
"""

import json
import signal
import time
from collections.abc import Mapping
from typing import Any

from ...envs.errors import EnvironmentFault, EpisodeOver, LichenError
from .errors import Denied, Stop
from .start import Child
from .types import JSON, Invoked, Limits, Program, Ran, Serve
from .wire import Ended, field

_TEXT = 2000
_EXITING = 1.0
"""Seconds that a child that closed its pipe is given to end, so that its exit can be told."""


class Supervisor:
    """Follows one run.

    Args:
        child: Ready, and used for nothing else.
        program: To run.
        arguments: Of the entry.
        serve: The broker.
        limits: Of this run.
    """

    def __init__(
        self,
        child: Child,
        program: Program,
        arguments: Mapping[str, JSON],
        serve: Serve,
        limits: Limits,
    ) -> None:
        self._child, self._program, self._arguments = child, program, arguments
        self._serve, self._limits = serve, limits
        self._calls = self._entered = self._kept = 0
        self._away = 0.0
        self._trace: list[Invoked] = []
        self._open: list[int] = []

    def run(self) -> Ran:
        """Run the program to its end, end the child, and say what happened.

        Raises:
            BaseException: What is no `Exception` and came out of the broker (an interrupt) goes on.
        """
        begun = time.monotonic()
        wire = self._child.wire
        wire.limits, wire.deadline = self._limits, begun + self._limits.seconds
        value: JSON = None
        try:
            self._child.program(
                {
                    "program": self._program.model_dump(),
                    "arguments": dict(self._arguments),
                    "most": self._limits.message_kb << 10,
                }
            )
            end, error, value = self._follow()
        except Ended as ended:
            end, error = ended.end, str(ended)
            if end == "died":
                end, error = self._death(error)
            elif end == "time":
                error = f"it took more than {self._limits.seconds:g} s"
            error = f"{self._program.entry}: {error}"
        finally:
            spent = time.monotonic() - begun - self._away
            self._child.end()
        for place in self._open:
            self._close(place, error="it had not ended when the run did")
        output = self._child.output
        return Ran(
            end=end,
            value=value,
            error=error[:_TEXT],
            calls=self._calls,
            output=output,
            seconds=max(0.0, spent),
            level=self._child.setting.level,
            trace=tuple(self._trace),
        )

    def _follow(self) -> tuple[Any, str, JSON]:
        """Take message after message until the child says that it ended."""
        while True:
            found = self._child.wire.receive()
            kind = found.get("t")
            if kind == "call":
                self._call(found)
            elif kind == "enter":
                self._enter(found)
            elif kind == "leave":
                self._leave(found)
            elif kind == "end":
                end = found.get("end")
                if end == "returned":
                    return end, "", found.get("v")
                if end == "raised":
                    return end, field(found, "e", str), None
                if end == "memory":
                    most = self._limits.memory_mb
                    return end, f"{self._program.entry}: it wanted more than {most} MB", None
                raise Ended("denied", f"it sent an end that is none: {str(end)[:100]}")
            else:
                raise Ended("denied", f"it sent a message of no known kind: {str(kind)[:100]}")

    def _call(self, found: Mapping[str, Any]) -> None:
        """Serve one call, and answer."""
        number, method = field(found, "n", int), field(found, "m", str)
        args, kwargs = field(found, "a", list), field(found, "k", dict)
        if method not in self._program.api:
            raise Ended("denied", f"it asked for api.{method[:100]}, which it does not declare")
        if number != self._calls + 1:
            raise Ended("denied", f"it sent call {number} where {self._calls + 1} was due")
        if self._calls >= self._limits.calls:
            raise Ended("calls", f"it made more than {self._limits.calls} calls")
        self._calls += 1
        begun = time.monotonic()
        try:
            answer = {"v": self._serve(method, tuple(args), kwargs)}
            body = json.dumps(answer, allow_nan=False, separators=(",", ":")).encode()
        except (Stop, EpisodeOver) as error:
            raise Ended("stopped", str(error)) from error
        except Denied as error:
            raise Ended("denied", str(error)) from error
        except EnvironmentFault as error:
            raise Ended("broken", f"the environment broke: {error}") from error
        except LichenError as error:
            body = json.dumps({"e": str(error)[:_TEXT]}).encode()
        except (
            Exception
        ) as error:  # a fault of the broker is ours, recorded as such, never the skill's
            text = f"the broker broke in api.{method}: {type(error).__name__}: {error}"
            raise Ended("broken", text) from error
        finally:
            took = time.monotonic() - begun
            self._away += took
            self._child.wire.deadline += took
        if len(body) > self._limits.message_kb << 10:
            raise Ended("broken", f"the answer of api.{method} has {len(body) >> 10} KB")
        self._child.wire.send(body)

    def _enter(self, found: Mapping[str, Any]) -> None:
        skill, arguments = field(found, "s", str), field(found, "k", dict)
        if skill not in self._program.modules:
            raise Ended("denied", f"it says that it calls {skill[:100]!r}, which it has not")
        self._entered += 1
        if self._entered > self._limits.calls:
            raise Ended("calls", f"it called other skills more than {self._limits.calls} times")
        self._keep(arguments)
        self._open.append(len(self._trace))
        self._trace.append(Invoked(skill=skill, arguments=arguments, depth=len(self._open)))

    def _leave(self, found: Mapping[str, Any]) -> None:
        if not self._open:
            raise Ended("denied", "it left a skill that it had not entered")
        self._keep(found.get("v"))
        error = field(found, "e", str)[:_TEXT] if "e" in found else ""
        self._close(self._open.pop(), value=found.get("v"), error=error)

    def _close(self, place: int, *, value: JSON = None, error: str = "") -> None:
        self._trace[place] = self._trace[place].model_copy(update={"value": value, "error": error})

    def _keep(self, value: JSON) -> None:
        """Count what stays in memory of nested calls."""
        self._kept += len(json.dumps(value)) + 100
        if self._kept > self._limits.message_kb << 10:
            raise Ended("output", f"its nested calls hold more than {self._limits.message_kb} KB")

    def _death(self, said: str) -> tuple[Any, str]:
        """Say how a child ended that closed its pipe without a result."""
        code = self._child.end(patience=_EXITING)
        if self._child.setting.level in ("bubblewrap", "docker") and code > 128:
            code = 128 - code  # what wraps the child tells its signal so
        if code >= 0:
            return "died", f"{said} (exit code {code})"
        name = signal.Signals(-code).name if -code in set(signal.Signals) else f"signal {-code}"
        most = self._limits.cpu_seconds
        if name == "SIGXCPU" or (name == "SIGKILL" and self._child.usage >= most):
            return "time", f"it took more than {most} s of processor time"
        if name == "SIGSYS":
            return "denied", "it made a system call of a foreign architecture"
        return "died", f"{said} ({name})"
