"""What runs inside the jail: standard library only, sent to the child by the parent, never imported there.

`syscalls` is data, `walls` closes the child in, `program` runs the skills. Nothing here may use a package or
another room: the child starts with `-P -s -S` and sees no file of Lichen.
"""

PARTS = ("syscalls", "walls", "program")
"""Module names in the order in which the child executes them."""
