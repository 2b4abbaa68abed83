"""Attacks on time, memory, disk and output; each stops by itself at a size that cannot hurt a machine."""

from ....skills.jail.types import End
from .attack import Attack


def _attack(
    name: str, tries: str, source: str, ends: tuple[End, ...], errors: tuple[str, ...] = ()
) -> Attack:
    return Attack(
        name=name, theme="resources", tries=tries, source=source, ends=ends, errors=errors
    )


RESOURCES = (
    _attack(
        "memory",
        "take 1 GB at once",
        """
def attack(api, here):
    held = bytearray(1 << 30)
    return leak(len(held))
""",
        ("memory",),
    ),
    _attack(
        "memory-in-pieces",
        "take memory until there is none (600 MB at most), and hide that there was none",
        """
def attack(api, here):
    held = []
    for _ in range(600):
        try:
            held.append(bytearray(1 << 20))
        except MemoryError:
            return len(held)
    return leak(f"{len(held)} MB")
""",
        ("returned", "memory", "died", "time"),
    ),
    _attack(
        "memory-mapped",
        "take memory past the interpreter (1 GB at most)",
        """
import mmap
def attack(api, here):
    return any_done(lambda: len(mmap.mmap(-1, 1 << 30)))
""",
        ("returned", "raised", "memory"),
    ),
    _attack(
        "memory-kept-in-bytes",
        "multiply a text until it is larger than memory",
        """
def attack(api, here):
    text = "x"
    for _ in range(30):
        text += text
    return leak(len(text))
""",
        ("memory", "died", "time"),
    ),
    _attack(
        "endless-loop",
        "loop for ever",
        "\ndef attack(api, here):\n    while True: pass\n",
        ("time",),
    ),
    _attack(
        "endless-sleep",
        "sleep for ever",
        "\ndef attack(api, here):\n    while True: time.sleep(3600)\n",
        ("time",),
    ),
    _attack(
        "endless-except",
        "catch every error and go on",
        """
def attack(api, here):
    while True:
        try:
            while True: pass
        except BaseException:
            pass
""",
        ("time",),
    ),
    _attack(
        "hang-in-c",
        "hang in C code, where no Python signal arrives",
        """
import re
def attack(api, here):
    re.match(r"(a+)+$", "a" * 64 + "b")
""",
        ("time",),
    ),
    _attack(
        "deaf-to-signals",
        "ignore every signal that can be ignored, and loop",
        """
import signal
def attack(api, here):
    for number in range(1, 65):
        try:
            signal.signal(number, signal.SIG_IGN)
        except (OSError, ValueError):
            pass
    while True: pass
""",
        ("time",),
    ),
    _attack(
        "hang-in-import",
        "hang while the module is executed",
        "\nwhile True: pass\ndef attack(api, here): pass\n",
        ("time",),
    ),
    _attack(
        "huge-number",
        "compute a number without end",
        "\ndef attack(api, here):\n    return len(str(9 ** 9 ** 9 % 10))\n",
        ("time", "memory", "died"),
    ),
    _attack(
        "print-flood",
        "print 64 MB",
        """
def attack(api, here):
    for _ in range(64):
        print("x" * (1 << 20))
    return leak("printed")
""",
        ("output",),
    ),
    _attack(
        "descriptor-flood",
        "write 64 MB to the descriptors of output and errors",
        """
def attack(api, here):
    for _ in range(32):
        os.write(1, b"x" * (1 << 20))
        os.write(2, b"x" * (1 << 20))
    return leak("written")
""",
        ("output",),
    ),
    _attack(
        "one-large-file",
        "write a file of 64 MB into the scratch folder",
        """
def attack(api, here):
    with open("large", "wb") as file:
        for _ in range(64):
            file.write(b"x" * (1 << 20))
    return leak("written")
""",
        ("raised",),
    ),
    _attack(
        "many-files",
        "write 64 files of nearly 1 MB",
        """
def attack(api, here):
    for place in range(64):
        with open(f"part{place}", "wb") as file:
            file.write(b"x" * 1000000)
    return leak("written")
""",
        ("raised",),
    ),
    _attack(
        "many-names",
        "make 3000 empty files",
        """
def attack(api, here):
    for place in range(3000):
        open(f"empty{place}", "wb").close()
    return leak("made")
""",
        ("raised",),
    ),
    _attack(
        "many-descriptors",
        "open 2000 descriptors",
        """
def attack(api, here):
    held = []
    for _ in range(2000):
        held.append(open("same", "w"))
    return leak(len(held))
""",
        ("raised",),
    ),
    _attack(
        "many-pipes",
        "hold kernel memory in 2000 pipes",
        """
def attack(api, here):
    held = [os.pipe() for _ in range(2000)]
    return leak(len(held))
""",
        ("raised",),
    ),
    _attack(
        "deep-recursion",
        "overflow the stack of C",
        """
def attack(api, here):
    sys.setrecursionlimit(10 ** 9)
    def down(n): return [down(n + 1)]
    down(0)
""",
        ("raised", "memory", "died", "time"),
        # At the memory limit CPython itself may lose the exception that it was about to raise.
        errors=("RecursionError", "SystemError: error return without exception set"),
    ),
    _attack(
        "crash",
        "crash the interpreter",
        "\ndef attack(api, here):\n    ctypes.string_at(0)\n",
        ("died",),
    ),
    _attack(
        "large-result",
        "return 8 MB",
        "\ndef attack(api, here):\n    return 'x' * (8 << 20)\n",
        ("raised", "output"),
        errors=("returned what is not plain JSON",),
    ),
    _attack(
        "large-error",
        "raise an error whose text has 64 MB",
        "\ndef attack(api, here):\n    raise OSError('x' * (64 << 20))\n",
        ("raised", "memory"),
    ),
)
"""On resources."""
