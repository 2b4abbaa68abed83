"""Runs one program of skills inside the jail, and talks with the parent about it.

Frames on the two protocol descriptors: four bytes of length, big end first, then JSON. From the parent: the
program, then one answer a call. To the parent: `hello`, `call`, `enter`, `leave`, `end`. Nothing here is a
wall: a program may rewrite this module, and then meets the walls and the parent's own checks.
"""

import importlib
import json
import os
import random
import sys
import typing
from typing import Any, Never

from .walls import NoWall, confine

DEEPEST = 32
"""Skills that may call each other in a row."""
TEXT = 2000
"""Characters of an error that are sent."""


class ApiError(RuntimeError):
    """What the environment's API answers to a call that it cannot serve."""


class Pipe:
    """The protocol's two descriptors, moved away from standard input and output.

    Args:
        inward: Descriptor that the parent writes.
        outward: Descriptor that the parent reads.
    """

    def __init__(self, inward: int, outward: int) -> None:
        self._inward, self._outward = inward, outward
        self.most = 1 << 20

    def send(self, message: dict[str, Any]) -> None:
        """Send one frame.

        Raises:
            TypeError: The message holds what JSON has no word for.
            ValueError: It holds NaN or an infinity, or is larger than the limit.
        """
        body = json.dumps(message, allow_nan=False, separators=(",", ":")).encode()
        if len(body) > self.most:
            raise ValueError(f"a message of {len(body) // 1024} KB is over the limit")
        self.write(body)

    def write(self, body: bytes) -> None:
        """Write a frame around a body."""
        rest = memoryview(len(body).to_bytes(4, "big") + body)
        while rest:
            rest = rest[os.write(self._outward, rest) :]

    def receive(self) -> Any:
        """Wait for one frame; the process ends when the parent has gone."""
        return json.loads(self._take(int.from_bytes(self._take(4), "big")))

    def _take(self, count: int) -> bytes:
        parts = []
        while count:
            part = os.read(self._inward, min(count, 1 << 16))
            if not part:
                os._exit(0)
            parts.append(part)
            count -= len(part)
        return b"".join(parts)


class API:
    """What a skill is given: the environment's declared methods, and the other skills of its program.

    Args:
        pipe: To the parent.
        program: As the parent sent it.
    """

    def __init__(self, pipe: Pipe, program: dict[str, Any]) -> None:
        self._pipe, self._program = pipe, program
        self._loaded: dict[str, Any] = {}
        self._depth = self._number = 0

    def __getattr__(self, name: str) -> Any:
        """Return a method of the environment.

        Raises:
            PermissionError: It is not among the declared capabilities.
        """
        if name.startswith("__"):
            raise AttributeError(name)
        if name not in self._program["api"]:
            raise PermissionError(f"api.{name} is not among the declared capabilities")

        def method(*args: Any, **kwargs: Any) -> Any:
            return self._ask(name, args, kwargs)

        method.__name__ = name
        return method

    def skill(self, skill_id: str, **kwargs: Any) -> Any:
        """Call another skill of the program, by `name@version`, and return what it returns.

        Raises:
            LookupError: The program has no such skill.
            RecursionError: Skills call each other too deep.
        """
        if skill_id not in self._program["modules"]:
            raise LookupError(f"{skill_id!r} is not among the skills that this one declares")
        if self._depth >= DEEPEST:
            raise RecursionError(f"skills call each other more than {DEEPEST} deep")
        self._pipe.send({"t": "enter", "s": skill_id, "k": kwargs})
        self._depth += 1
        try:
            value = self._function(skill_id)(self, **kwargs)
            self._pipe.send({"t": "leave", "v": value})
        except BaseException as error:
            self._pipe.send({"t": "leave", "e": said(error, self._program["modules"])})
            raise
        finally:
            self._depth -= 1
        return value

    def run(self, arguments: dict[str, Any]) -> Any:
        """Call the entry."""
        return self._function(self._program["entry"])(self, **arguments)

    def _ask(self, method: str, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
        self._number += 1
        try:
            self._pipe.send({"t": "call", "n": self._number, "m": method, "a": args, "k": kwargs})
        except (TypeError, ValueError) as error:
            raise type(error)(f"api.{method}: {error}") from None
        answer = self._pipe.receive()
        if "e" in answer:
            raise ApiError(answer["e"])
        return answer.get("v")

    def _function(self, skill_id: str) -> Any:
        """Return a skill's public function; its module is executed at first use, in names of its own."""
        if skill_id not in self._loaded:
            names = {
                "__name__": skill_id,
                "API": API,
                "ApiError": ApiError,
                "Literal": typing.Literal,
                "Annotated": typing.Annotated,
            }
            source = self._program["modules"][skill_id]
            exec(compile(source, f"<{skill_id}>", "exec", dont_inherit=True), names)
            name = self._program["functions"][skill_id]
            if not callable(names.get(name)):
                raise LookupError(f"{skill_id} defines no function {name!r}")
            self._loaded[skill_id] = names[name]
        return self._loaded[skill_id]


def said(error: BaseException, modules: dict[str, str]) -> str:
    """Return an error as `skill, line N: Type: text`, with the innermost line of a skill's own source."""
    where, step = "", error.__traceback__
    while step is not None:
        name = step.tb_frame.f_code.co_filename[1:-1]
        if name in modules:
            where = f"{name}, line {step.tb_lineno}: "
        step = step.tb_next
    text: Any
    if isinstance(error, SyntaxError):
        name, text = (error.filename or "")[1:-1], error.msg
        if name in modules:
            where = f"{name}, line {error.lineno}: "
    else:
        try:
            text = str(error)
        except BaseException:  # the text of a skill's own error class is foreign code as well
            text = "(its text cannot be made)"
    return f"{where}{type(error).__name__}{': ' if text else ''}{text}"[:TEXT]


def main(order: dict[str, Any]) -> Never:
    """Move the protocol aside, load what skills may import, close the walls, and run what comes.

    Args:
        order: `modules` (to load before the walls close) and what `walls.confine` reads.
    """
    pipe = Pipe(os.dup(0), os.dup(1))
    os.dup2(2, 1)  # what is printed goes to the parent's capture, never into the protocol
    nothing = os.open(os.devnull, os.O_RDWR)
    os.dup2(nothing, 0)
    os.close(nothing)
    sys.stdout.reconfigure(line_buffering=True, errors="backslashreplace")  # type: ignore[union-attr]
    for name in order["modules"]:
        importlib.import_module(name)
    os.environ.clear()
    try:
        stands, lacks = confine(order)
    except NoWall as error:
        pipe.send({"t": "hello", "missing": str(error)})
        os._exit(0)
    pipe.send({"t": "hello", "stands": stands, "lacks": lacks})
    given = pipe.receive()
    pipe.most = given["most"]
    _finish(pipe, given)
    os._exit(0)


def _finish(pipe: Pipe, given: dict[str, Any]) -> None:
    """Run the program and send its end."""
    full = b'{"t":"end","end":"memory"}'
    modules = given["program"]["modules"]
    random.seed(given["program"]["seed"])
    try:
        value = API(pipe, given["program"]).run(given["arguments"])
        _flush()
        try:
            pipe.send({"t": "end", "end": "returned", "v": value})
        except (TypeError, ValueError, RecursionError) as error:
            entry = given["program"]["entry"]
            text = f"{entry} returned what is not plain JSON: {error}"[:TEXT]
            pipe.send({"t": "end", "end": "raised", "e": text})
    except MemoryError:
        pipe.write(full)
    except BaseException as error:  # whatever a skill raises is how it ended
        try:
            _flush()
            pipe.send({"t": "end", "end": "raised", "e": said(error, modules)})
        except MemoryError:
            pipe.write(full)


def _flush() -> None:
    sys.stdout.flush()
    sys.stderr.flush()
