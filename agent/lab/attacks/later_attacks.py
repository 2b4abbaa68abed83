"""Attacks that were thought of later, by people who tried the finished jail; of every theme."""

from ....skills.jail.types import End
from .attack import QUIET, Attack, Theme

_RAW = """
def through(*calls):
    for number, *args in calls:
        ctypes.set_errno(0)
        result = libc.syscall(ctypes.c_long(number), *[ctypes.c_long(a) for a in args])
        if result == 0 and number in (56, 57, 58, (1 << 32) | 57):
            os._exit(0)
        if result >= 0 or ctypes.get_errno() not in (errno.EPERM, errno.ENOSYS):
            return leak(f"{number}: {result}, {ctypes.get_errno()}")
"""
"""Makes system calls by number and leaks what the kernel took."""


def _attack(
    name: str,
    theme: Theme,
    tries: str,
    source: str,
    ends: tuple[End, ...] = QUIET,
    *,
    raw: bool = False,
) -> Attack:
    return Attack(
        name=name,
        theme=theme,
        tries=tries,
        source=(_RAW if raw else "") + source,
        ends=ends,
        machines=("x86_64",) if raw else ("x86_64", "aarch64"),
    )


def _frame(name: str, tries: str, body: str) -> Attack:
    lines = (f"forge(api, {body})", "time.sleep(0.2)", "return leak('it was taken')")
    source = "\ndef attack(api, here):\n" + "".join(f"    {line}\n" for line in lines)
    return _attack(name, "protocol", tries, source, ("denied",))


LATER = (
    _frame(
        "number-true",
        "number a call with true",
        '\'{"t":"call","n":true,"m":"echo","a":[1],"k":{}}\'',
    ),
    _frame(
        "other-encoding",
        "send an end in UTF-16",
        '\'{"t":"end","end":"returned"}\'.encode("utf-16")',
    ),
    _frame(
        "half-character-in-a-name",
        "name an argument by half of a surrogate pair",
        'b\'{"t":"call","n":1,"m":"echo","a":[],"k":{"\\\\udfff":1}}\'',
    ),
    _frame(
        "blame-the-jail",
        "end as if the jail had broken, so that the call counts as unknown",
        '\'{"t":"end","end":"broken","e":"x"}\'',
    ),
    _attack(
        "slow-frame",
        "protocol",
        "promise a message and send it byte by byte",
        """
def attack(api, here):
    _, out = wire(api)
    os.write(out, (50000).to_bytes(4, "big"))
    while True:
        os.write(out, b" ")
        time.sleep(0.05)
""",
        ("time",),
    ),
    _attack(
        "never-listen",
        "protocol",
        "close the inward pipe and ask for large answers",
        """
def attack(api, here):
    inward, _ = wire(api)
    os.close(inward)
    for number in range(1, 90):
        forge(api, '{"t":"call","n":%d,"m":"big","a":[],"k":{}}' % number)
    while True:
        time.sleep(1)
""",
        ("died", "time", "denied"),
    ),
    _attack(
        "high-bits",
        "kernel",
        "fork by a number whose upper half is not looked at, and by its other names",
        """
def attack(api, here):
    return through(((1 << 32) | 57,), (57,), (58,), (56, 0x11, 0, 0, 0, 0), (435, 0, 0))
""",
        ("returned", "denied"),
        raw=True,
    ),
    _attack(
        "timers",
        "processes",
        "set timers, take signals as files, queue a signal for the parent",
        """
def attack(api, here):
    parent = here["parent"]
    return through(
        (37, 1), (38, 0, 0, 0), (222, 0, 0, 0), (283, 0, 0), (282, -1, 0, 8), (289, -1, 0, 8, 0),
        (297, parent, parent, 10, 0), (129, parent, 10, 0), (424, 0, 10, 0, 0), (62, parent, 10),
    )
""",
        raw=True,
    ),
    _attack(
        "hand-over",
        "processes",
        "double, send, splice and re-configure descriptors",
        """
def attack(api, here):
    return through(
        (53, 1, 1, 0, 0), (46, 1, 0, 0), (44, 1, 0, 0, 0, 0, 0), (307, 1, 0, 0, 0), (33, 0, 50),
        (292, 0, 50, 0), (32, 0), (72, 1, 1031, 4096), (275, 0, 0, 1, 0, 1, 0), (276, 0, 1, 1, 0),
        (278, 1, 0, 0, 0), (16, 1, 0x5412, 0), (40, 1, 0, 0, 1), (326, 0, 0, 1, 0, 1, 0),
    )
""",
        raw=True,
    ),
    _attack(
        "machine-code",
        "kernel",
        "write machine code into executable memory and fork from there",
        """
import mmap
def attack(api, here):
    try:
        page = mmap.mmap(-1, 4096, prot=7)
    except OSError:
        return None
    page.write(b"\\xb8\\x39\\x00\\x00\\x00\\x0f\\x05\\xc3")
    made = ctypes.CFUNCTYPE(ctypes.c_long)(ctypes.addressof(ctypes.c_char.from_buffer(page)))()
    if made == 0:
        os._exit(0)
    return leak(made) if made > 0 else None
""",
        ("returned", "raised", "denied", "died"),
        raw=True,
    ),
    _attack(
        "name-a-nameless-file",
        "files",
        "make a file without a name and link it outside",
        """
def attack(api, here):
    try:
        made = os.open(".", os.O_TMPFILE | os.O_RDWR, 0o777)
    except OSError:
        return None
    path = (here["folder"] + "/evil").encode()
    result = libc.syscall(ctypes.c_long(265), made, b"", -100, path, 0x1000)
    return leak("linked") if result == 0 else None
""",
        raw=True,
    ),
    _attack(
        "late-hooks",
        "resources",
        "go on in hooks that run after the end",
        """
def attack(api, here):
    gc.callbacks.append(lambda *a: time.sleep(100))
    sys.setprofile(lambda *a: time.sleep(50))
    return 1
""",
        ("time", "returned"),
    ),
)
