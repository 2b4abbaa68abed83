"""Attacks on files: read, write, mark or merely find what is outside of the scratch folder."""

from .attack import Attack


def _attack(name: str, tries: str, source: str) -> Attack:
    return Attack(name=name, theme="files", tries=tries, source=source)


FILES = (
    _attack(
        "read-file",
        "read a file that everyone may read",
        """
def attack(api, here):
    return open(here["secret"]).read()
""",
    ),
    _attack(
        "read-proc-root",
        "read it through /proc/self/root and /proc/PARENT/root",
        """
def attack(api, here):
    for who in ("self", here["parent"], 1):
        text = attempt(lambda: open(f"/proc/{who}/root{here['secret']}").read())
        if isinstance(text, str):
            return text
""",
    ),
    _attack(
        "read-passwd",
        "read the machine's own files",
        """
def attack(api, here):
    paths = "/etc/passwd", "/etc/hostname", "/proc/version", "/proc/cpuinfo", "/sys/kernel/uevent_seqnum"
    return any_done(*(lambda p=p: open(p).read() for p in paths))
""",
    ),
    _attack(
        "read-environ",
        "read the environment of the parent, of process 1 and of itself",
        """
def attack(api, here):
    if "LICHEN_CANARY" in os.environ:
        return dict(os.environ)
    for who in ("self", here["parent"], 1):
        text = attempt(lambda: open(f"/proc/{who}/environ").read())
        if isinstance(text, str) and text:
            return leak(text)
""",
    ),
    _attack(
        "list-folders",
        "list folders outside",
        """
def attack(api, here):
    seen = attempt(lambda: os.listdir("/"))
    if isinstance(seen, list) and set(seen) & set(here["guesses"]):
        return leak(seen)
    return any_done(lambda: os.listdir(here["folder"]), lambda: os.listdir("/proc"), lambda: os.listdir("/etc"))
""",
    ),
    _attack(
        "write-outside",
        "make, append to and truncate files outside",
        """
def attack(api, here):
    return any_done(
        lambda: open(here["folder"] + "/evil", "w"),
        lambda: open(here["victim"], "a").write("x"),
        lambda: os.truncate(here["victim"], 0),
        lambda: os.open(here["victim"], os.O_WRONLY | os.O_TRUNC),
    )
""",
    ),
    _attack(
        "write-temporary",
        "leave a file in the machine's temporary folder",
        """
def attack(api, here):
    name = "evil-" + os.path.basename(here["folder"])
    path = os.path.join(os.path.dirname(here["folder"]), name)
    result = attempt(lambda: open(path, "w"))
    if not isinstance(result, OSError):
        os.unlink(path)
        return leak(path)
""",
    ),
    _attack(
        "remove",
        "unlink, rename and replace files outside",
        """
def attack(api, here):
    return any_done(
        lambda: os.unlink(here["victim"]),
        lambda: os.rename(here["victim"], here["victim"] + "2"),
        lambda: os.mkdir(here["folder"] + "/d"),
        lambda: os.rmdir(here["folder"]),
    )
""",
    ),
    _attack(
        "symlink",
        "read a file outside through a symbolic link in the scratch folder",
        """
def attack(api, here):
    os.symlink(here["secret"], "s")
    return open("s").read()
""",
    ),
    _attack(
        "hard-link",
        "give a file outside a name in the scratch folder, and the other way round",
        """
def attack(api, here):
    return any_done(
        lambda: os.link(here["secret"], "l"),
        lambda: os.link(here["secret"], here["folder"] + "/l"),
    )
""",
    ),
    _attack(
        "metadata",
        "change mode, owner and times of a file outside",
        """
def attack(api, here):
    return any_done(
        lambda: os.chmod(here["victim"], 0o600),
        lambda: os.chown(here["victim"], 65534, 65534),
        lambda: os.utime(here["victim"], (0, 0)),
    )
""",
    ),
    _attack(
        "attributes",
        "set and read extended attributes of a file outside",
        """
def attack(api, here):
    return any_done(
        lambda: os.setxattr(here["victim"], "user.lichen", b"1"),
        lambda: os.listxattr(here["secret"]),
    )
""",
    ),
    _attack(
        "stat",
        "learn whether a file exists, and its size, without opening it",
        """
def attack(api, here):
    return any_done(
        lambda: os.stat(here["secret"]),
        lambda: os.lstat(here["secret"]),
        lambda: os.statvfs(here["folder"]),
        lambda: os.readlink("/proc/self/exe"),
    )
""",
    ),
    _attack(
        "exists-by-errno",
        "tell a file that exists from one that does not by how its opening is refused",
        """
def attack(api, here):
    if os.access(here["secret"], os.F_OK):
        return leak("access() says that it exists")
    known = attempt(lambda: os.open(here["secret"], os.O_RDONLY))
    other = attempt(lambda: os.open(here["secret"] + "-none", os.O_RDONLY))
    if not isinstance(known, OSError) or known.errno != other.errno:
        return leak(f"{known!r} and {other!r}")
""",
    ),
    _attack(
        "climb",
        "climb out of the scratch folder by .. and chdir",
        """
def attack(api, here):
    up = "../" * 24
    text = attempt(lambda: open(up + here["secret"].lstrip("/")).read())
    if isinstance(text, str):
        return text
    attempt(lambda: os.chdir(up))
    return open(here["secret"].lstrip("/")).read()
""",
    ),
    _attack(
        "chroot-escape",
        "leave a changed root by changing it again",
        """
def attack(api, here):
    attempt(lambda: os.mkdir("in"))
    return any_done(lambda: os.chroot("in"), lambda: os.chroot("."))
""",
    ),
    _attack(
        "descriptors",
        "find an inherited descriptor of a file, folder or socket",
        """
import stat
def attack(api, here):
    for fd in range(1024):
        about = attempt(lambda: os.fstat(fd))
        if isinstance(about, OSError) or stat.S_ISFIFO(about.st_mode):
            continue
        if not (fd == 0 and stat.S_ISCHR(about.st_mode)):
            return leak(f"descriptor {fd} has mode {about.st_mode:o}")
""",
    ),
    _attack(
        "relative-to-descriptor",
        "open a file relative to any descriptor that is open",
        """
def attack(api, here):
    for fd in range(64):
        for path in ("../" * 24 + here["secret"].lstrip("/"), here["secret"]):
            text = attempt(lambda: os.read(os.open(path, os.O_RDONLY, dir_fd=fd), 100).decode())
            if isinstance(text, str):
                return text
""",
    ),
    _attack(
        "device",
        "make a device file, to read the disk through it",
        """
def attack(api, here):
    return any_done(
        lambda: os.mknod("null", 0o666 | 0o020000, os.makedev(1, 3)),
        lambda: os.mkfifo("fifo"),
        lambda: open("/dev/urandom", "rb").read(1),
    )
""",
    ),
)
"""On files."""
