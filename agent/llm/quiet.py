"""Keep transformers' progress bars and advice off the terminal while a model loads."""

import io
from collections.abc import Iterator
from contextlib import contextmanager, redirect_stderr
from typing import Any


@contextmanager
def quiet_transformers() -> Iterator[None]:
    """Silence transformers inside the block, and put its settings back."""
    from transformers.utils import logging as transformers_logging

    logging: Any = transformers_logging  # its functions carry no types

    before, bars = logging.get_verbosity(), logging.is_progress_bar_enabled()
    logging.set_verbosity_error()
    logging.disable_progress_bar()
    try:
        with redirect_stderr(io.StringIO()):  # the GGUF reader's own bar knows no switch
            yield
    finally:
        logging.set_verbosity(before)
        if bars:
            logging.enable_progress_bar()
