"""Attacks over the network: only loopback addresses and sockets of the parent are tried."""

from .attack import Attack


def _attack(name: str, tries: str, source: str) -> Attack:
    return Attack(
        name=name, theme="network", tries=tries, source="\nimport socket\n" + source.lstrip("\n")
    )


NETWORK = (
    _attack(
        "tcp-connect",
        "connect to a port of this machine",
        """
def attack(api, here):
    part = socket.create_connection(("127.0.0.1", here["tcp"]), timeout=1)
    part.sendall(b"out")
    return leak("connected")
""",
    ),
    _attack(
        "tcp-listen",
        "listen on a port",
        """
def attack(api, here):
    return leak(socket.create_server(("127.0.0.1", 0)).getsockname())
""",
    ),
    _attack(
        "udp-send",
        "send a datagram",
        """
def attack(api, here):
    socket.socket(socket.AF_INET, socket.SOCK_DGRAM).sendto(b"out", ("127.0.0.1", here["udp"]))
    return leak("sent")
""",
    ),
    _attack(
        "udp-six",
        "make a socket of IP version 6",
        """
def attack(api, here):
    return any_done(lambda: socket.socket(socket.AF_INET6, socket.SOCK_DGRAM).fileno())
""",
    ),
    _attack(
        "unix-connect",
        "connect to a socket that has a path",
        """
def attack(api, here):
    socket.socket(socket.AF_UNIX).connect(here["unix"])
    return leak("connected")
""",
    ),
    _attack(
        "abstract-connect",
        "connect to a socket that has a name but no path",
        """
def attack(api, here):
    socket.socket(socket.AF_UNIX).connect("\\0" + here["abstract"])
    return leak("connected")
""",
    ),
    _attack(
        "socket-pair",
        "make a pair of sockets, to pass descriptors",
        """
def attack(api, here):
    return any_done(lambda: [part.fileno() for part in socket.socketpair()])
""",
    ),
    _attack(
        "raw-socket",
        "make raw, packet and netlink sockets",
        """
def attack(api, here):
    return any_done(
        lambda: socket.socket(socket.AF_INET, socket.SOCK_RAW, 1).fileno(),
        lambda: socket.socket(socket.AF_PACKET, socket.SOCK_RAW).fileno(),
        lambda: socket.socket(socket.AF_NETLINK, socket.SOCK_RAW).fileno(),
    )
""",
    ),
    _attack(
        "rare-families",
        "make a socket of any other family that the kernel knows",
        """
def attack(api, here):
    for family in range(2, 46):
        for kind in (1, 2, 3, 5):
            part = libc.socket(family, kind, 0)
            if part >= 0:
                os.close(part)
                return leak(f"family {family}, kind {kind}")
""",
    ),
    _attack(
        "host-name",
        "learn the machine's name and its interfaces",
        """
def attack(api, here):
    name = attempt(socket.gethostname)
    if isinstance(name, str):
        return leak(name)
    return any_done(socket.if_nameindex)
""",
    ),
    _attack(
        "resolve",
        "ask for the address of a name that this machine knows",
        """
def attack(api, here):
    return any_done(lambda: socket.getaddrinfo("localhost", 80))
""",
    ),
)
"""On the network."""
