"""Attacks on the parent: everything that can come over a pipe and is not what was agreed."""

from ....skills.jail.types import End
from .attack import Attack


def _attack(
    name: str,
    tries: str,
    source: str,
    ends: tuple[End, ...] = ("denied",),
    errors: tuple[str, ...] = (),
) -> Attack:
    return Attack(name=name, theme="protocol", tries=tries, source=source, ends=ends, errors=errors)


def _frames(name: str, tries: str, *bodies: str, ends: tuple[End, ...] = ("denied",)) -> Attack:
    """Send forged frames (Python expressions), then say that all is well."""
    lines = "".join(f"    forge(api, {body})\n" for body in bodies)
    source = (
        f"\ndef attack(api, here):\n{lines}    time.sleep(0.2)\n    return leak('it was taken')\n"
    )
    return _attack(name, tries, source, ends)


_CALL = '{"t":"call","n":1,"m":"echo","a":[%s],"k":{}}'

PROTOCOL = (
    _attack(
        "undeclared",
        "call methods that are not declared, by the API object",
        """
def attack(api, here):
    for name in ("secret", "reset", "_secret", "close"):
        try:
            getattr(api, name)()
        except PermissionError:
            continue
        return leak(name)
    raise PermissionError("all refused")
""",
        ("raised",),
    ),
    _attack(
        "declare-more",
        "add to its own declaration",
        """
def attack(api, here):
    api._program["api"] = ["secret", "echo"]
    return leak(api.secret())
""",
    ),
    _frames(
        "forged-method",
        "ask the broker for what is not declared",
        '\'{"t":"call","n":1,"m":"secret","a":[],"k":{}}\'',
    ),
    _frames(
        "dunder-method",
        "ask the broker for the inside of its objects",
        '\'{"t":"call","n":1,"m":"__class__","a":[],"k":{}}\'',
    ),
    _frames("no-json", "send what is no JSON", "b'{\"t\": nonsense'"),
    _frames("no-text", "send what is no text", "bytes(range(128, 256))"),
    _frames(
        "pickle",
        "send a pickle that would run a command",
        """(
        __import__("pickle").dumps(type("P", (), {"__reduce__": lambda self: (
            os.system, (f"echo evil > {here['folder']}/evil",))})())
    )""",
    ),
    _frames("no-object", "send a list for a message", "'[1, 2]'"),
    _frames("no-kind", "send messages without a kind", "'{}'"),
    _frames("odd-kind", "send a list for a kind", "'{\"t\": [[1]]}'"),
    _frames("empty", "send an empty frame", "b''"),
    _frames("nested", "send 100 000 lists in each other", "'[' * 100000 + ']' * 100000"),
    _frames(
        "nested-little", "send 200 lists in each other", repr(_CALL) + " % ('[' * 200 + ']' * 200)"
    ),
    _frames("not-a-number", "send NaN", repr(_CALL % "NaN")),
    _frames("infinite", "send a number that becomes infinite", repr(_CALL % "1e999")),
    _frames("huge-integer", "send a number of 100 digits", repr(_CALL) + " % ('9' * 100)"),
    _frames(
        "endless-integer", "send a number of 100 000 digits", repr(_CALL) + " % ('9' * 100000)"
    ),
    _frames(
        "half-character",
        "send half of a character",
        repr(_CALL) + " % (chr(34) + '\\\\ud800' + chr(34))",
    ),
    _frames(
        "wrong-types",
        "send a method that is a number",
        '\'{"t":"call","n":1,"m":7,"a":[],"k":{}}\'',
    ),
    _frames(
        "wrong-arguments",
        "send arguments that are no list",
        '\'{"t":"call","n":1,"m":"echo","a":{},"k":[]}\'',
    ),
    _frames(
        "out-of-order", "send a call of another number", repr(_CALL.replace("1,", "5,", 1) % "1")
    ),
    _frames("forged-end", "say that it ended by our fault", '\'{"t":"end","end":"broken"}\''),
    _frames("leave-nothing", "leave a skill that was not entered", '\'{"t":"leave","v":1}\''),
    _frames(
        "enter-nothing", "enter a skill that is not there", '\'{"t":"enter","s":"x@1","k":{}}\''
    ),
    _frames(
        "large-message",
        "send 4 MB",
        repr(_CALL) + " % (chr(34) + 'x' * (4 << 20) + chr(34))",
        ends=("output",),
    ),
    _attack(
        "large-promise",
        "promise 4 GB and send nothing",
        """
def attack(api, here):
    os.write(wire(api)[1], b"\\xff\\xff\\xff\\xff")
    time.sleep(30)
""",
        ("output",),
    ),
    _attack(
        "half-a-frame",
        "send half of a frame and wait",
        """
def attack(api, here):
    os.write(wire(api)[1], b"\\x00\\x00\\x00\\x40{")
    while True: time.sleep(1)
""",
        ("time",),
    ),
    _attack(
        "call-flood",
        "call for ever",
        "\ndef attack(api, here):\n    while True: api.echo(1)\n",
        ("calls",),
    ),
    _attack(
        "trace-flood",
        "fill the parent's memory with nested calls",
        """
def attack(api, here):
    for _ in range(150):
        forge(api, '{"t":"enter","s":"attack@1","k":{"x":"%s"}}' % ("x" * 100000))
    time.sleep(30)
""",
        ("output",),
    ),
    _attack(
        "endless-nesting",
        "call itself as a skill for ever",
        "\ndef attack(api, here):\n    return api.skill('attack@1', here=here)\n",
        ("raised",),
        errors=("RecursionError",),
    ),
    _attack(
        "deaf",
        "ask for much and never read the answers",
        """
def attack(api, here):
    for n in range(1, 50):
        forge(api, '{"t":"call","n":%d,"m":"big","a":[],"k":{}}' % n)
    time.sleep(30)
""",
        ("time",),
    ),
    _attack(
        "hang-up",
        "close the pipes and go on",
        """
def attack(api, here):
    for fd in wire(api):
        os.close(fd)
    while True: time.sleep(1)
""",
        ("died", "time"),
    ),
    _attack("exit", "end the process", "\ndef attack(api, here):\n    os._exit(0)\n", ("died",)),
    _attack(
        "system-exit",
        "leave by SystemExit",
        "\ndef attack(api, here):\n    raise SystemExit(0)\n",
        ("raised",),
        errors=("SystemExit",),
    ),
    _attack(
        "no-plain-result",
        "return an object",
        "\ndef attack(api, here):\n    return object()\n",
        ("raised",),
        errors=("returned what is not plain JSON",),
    ),
    _attack(
        "deep-result",
        "return 300 lists in each other",
        """
def attack(api, here):
    value = []
    for _ in range(300):
        value = [value]
    return value
""",
    ),
    _attack(
        "poisoned-error",
        "raise an error whose text cannot be made",
        """
class Odd(BaseException):
    def __str__(self): raise MemoryError
def attack(api, here):
    raise Odd
""",
        ("raised",),
        errors=("Odd",),
    ),
    _attack(
        "print-as-message",
        "print what looks like a message",
        """
def attack(api, here):
    print('\\x00\\x00\\x00\\x20{"t":"end","end":"returned","v":{"leak":"print"}}', flush=True)
    os.write(2, b'\\x00\\x00\\x00\\x10{"t":"call"}')
""",
        ("returned",),
    ),
)
"""On the protocol."""
