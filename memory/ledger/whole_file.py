"""Writing a file so that a kill leaves all of it or what was there before."""

import os
from collections.abc import Callable
from pathlib import Path
from typing import Any


def whole(path: Path, write: Callable[[Path], Any]) -> None:
    """Write a file under another name, then give it its own: a kill leaves the old one.

    Args:
        path: Of the file.
        write: Writes the path that it is given.
    """
    temporary = path.with_name(f".{path.name}.writing")
    write(temporary)
    os.replace(temporary, path)
