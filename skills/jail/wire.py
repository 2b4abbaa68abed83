"""The parent's end of the pipes: frames, what was printed, and nothing that a child can hurt.

Every read and write waits at most until a deadline; sizes, nesting, numbers and texts are checked before
anything is believed. Knows nothing of programs, levels or how a child is started.
"""

import json
import math
import os
import select
import time
from collections.abc import Mapping
from typing import Any

from .types import End, Limits

DEEPEST = 64
"""Lists and objects in each other, in one message."""
_LARGEST = 1 << 63
_CHUNK = 1 << 16


class Ended(Exception):
    """The run is over, for a reason that is not a message.

    Attributes:
        end: As in `Ran`.
    """

    def __init__(self, end: End, error: str) -> None:
        self.end = end
        super().__init__(error)


class Wire:
    """Talks with one child over its three descriptors.

    Args:
        inward: Descriptor that the child reads.
        outward: Descriptor that the child writes.
        printed: Descriptor of what it prints.
        limits: Sizes.
        deadline: Moment of `time.monotonic` at which the child's time is up; may be moved.
    """

    def __init__(
        self, inward: int, outward: int, printed: int, limits: Limits, deadline: float
    ) -> None:
        self._inward, self._outward, self._printed = inward, outward, printed
        self.limits, self.deadline = limits, deadline
        self._waiting = bytearray()
        self._output = bytearray()
        for descriptor in (inward, outward, printed):
            os.set_blocking(descriptor, False)
        self._open = {outward, printed}

    def output(self) -> str:
        """Return what was printed until now, at most as much as the limit allows."""
        while self._printed in self._open and self._pump(self._printed):
            if len(self._output) > self.limits.output_kb << 10:
                break
        return self._output[: self.limits.output_kb << 10].decode(errors="replace")

    def send(self, body: bytes) -> None:
        """Write one frame.

        Raises:
            Ended: The child does not read, prints too much, or has gone.
        """
        self.write(len(body).to_bytes(4, "big") + body)

    def write(self, everything: bytes) -> None:
        """Write bytes.

        Raises:
            Ended: As for `send`.
        """
        rest = memoryview(everything)
        while rest:
            try:
                rest = rest[os.write(self._inward, rest) :]
            except BlockingIOError:
                self._wait(writing=True)
            except BrokenPipeError:
                raise Ended("died", "it closed its end of the pipe") from None

    def receive(self) -> dict[str, Any]:
        """Wait for one message and return it, checked for form but not for meaning.

        Raises:
            Ended: Time is up, the child has gone, a size is passed, or what came is no message.
        """
        while True:
            if len(self._waiting) >= 4:
                size = int.from_bytes(self._waiting[:4], "big")
                if size > self.limits.message_kb << 10:
                    raise Ended(
                        "output", f"it sent a message of more than {self.limits.message_kb} KB"
                    )
                if len(self._waiting) >= 4 + size:
                    body = bytes(self._waiting[4 : 4 + size])
                    del self._waiting[: 4 + size]
                    return message(body)
            if self._outward not in self._open:
                raise Ended("died", "it ended without a result")
            self._wait()

    def _wait(self, writing: bool = False) -> None:
        """Wait until something can go on, and take in what is there."""
        poll = select.poll()
        if writing:
            poll.register(self._inward, select.POLLOUT)
        for descriptor in self._open - ({self._outward} if writing else set()):
            poll.register(descriptor, select.POLLIN)
        left = self.deadline - time.monotonic()
        ready = poll.poll(max(0.0, left) * 1000) if left > 0 else []
        if not ready:
            raise Ended("time", "it took too long")
        for descriptor, _ in ready:
            if descriptor != self._inward:
                self._pump(descriptor)
        if len(self._output) > self.limits.output_kb << 10:
            raise Ended("output", f"it printed more than {self.limits.output_kb} KB")

    def _pump(self, descriptor: int) -> bool:
        """Take in one piece, and say whether there was one."""
        try:
            piece = os.read(descriptor, _CHUNK)
        except BlockingIOError:
            return False
        if not piece:
            self._open.discard(descriptor)
            return False
        (self._waiting if descriptor == self._outward else self._output).extend(piece)
        return True


def message(body: bytes) -> dict[str, Any]:
    """Return a child's message.

    Raises:
        Ended: It is no JSON object, holds NaN, an infinity or a number beyond 64 bits, is nested deeper than
            `DEEPEST`, or holds a text that is no Unicode.

    >>> message(b'{"t":"end"}')
    {'t': 'end'}
    """
    try:
        found = json.loads(body.decode("utf-8"), parse_constant=_no_constant)
    except (
        ValueError,
        RecursionError,
    ) as error:  # UnicodeDecodeError and JSONDecodeError are ValueErrors
        raise Ended("denied", f"it sent what is no JSON: {str(error)[:200]}") from None
    if not isinstance(found, dict):
        raise Ended("denied", "it sent a message that is no object")
    _check(found)
    return found


def _no_constant(name: str) -> None:
    raise ValueError(f"{name} is no JSON")


def _check(found: Any) -> None:
    """Walk a value without recursion."""
    left: list[tuple[Any, int]] = [(found, 1)]
    while left:
        value, depth = left.pop()
        if depth > DEEPEST:
            raise Ended("denied", f"it sent a value that is nested more than {DEEPEST} deep")
        if isinstance(value, list):
            left += [(inner, depth + 1) for inner in value]
        elif isinstance(value, dict):
            left += [(inner, depth + 1) for pair in value.items() for inner in pair]
        elif isinstance(value, str):
            try:
                value.encode()
            except UnicodeEncodeError:
                raise Ended("denied", "it sent a text that is no Unicode") from None
        elif isinstance(value, float) and not math.isfinite(value):
            raise Ended("denied", "it sent a number that is not finite")
        elif isinstance(value, int) and not -_LARGEST <= value < _LARGEST:
            raise Ended("denied", "it sent a number beyond 64 bits")


def field(found: Mapping[str, Any], name: str, kind: type) -> Any:
    """Return a field of a message.

    Raises:
        Ended: It is missing or of another kind.
    """
    value = found.get(name)
    if not isinstance(value, kind) or (kind is int and isinstance(value, bool)):
        raise Ended("denied", f"it sent a message whose {name!r} is no {kind.__name__}")
    return value
