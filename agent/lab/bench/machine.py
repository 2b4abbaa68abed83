"""What every measurement says about where it was made."""

import os
import platform
from importlib.metadata import version as installed
from pathlib import Path


def version() -> str:
    """Return Lichen's version."""
    return installed("lichen")


def machine() -> str:
    """Return processor, cores and Python in one line, without any name of the machine."""
    name = platform.processor() or platform.machine()
    cpuinfo = Path("/proc/cpuinfo")
    if cpuinfo.exists():
        for line in cpuinfo.read_text(encoding="utf-8").splitlines():
            if line.startswith("model name"):
                name = line.split(":", 1)[1].strip()
                break
    return f"{name}, {os.cpu_count()} cores, Python {platform.python_version()}"
