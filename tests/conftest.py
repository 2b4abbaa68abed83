"""Shared fixtures: the real small model, and a word when the package is not installed."""

import asyncio
import signal
from collections.abc import Iterator
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from lichen.agent.llm.local_llm import LocalLLM

TAUGHT = ("softcot/test_train.py", "softcot/test_hint_gate.py", "faithfulness/test_of_hints.py")
"""Files of tests that share one long training: one worker has them all."""

if find_spec("lichen") is None:
    pytest.exit("lichen is not installed here: run  make setup", returncode=2)

ROOT = Path(__file__).parents[1]

# A shell that starts the tests in the background hands SIGINT on as ignored, and every child inherits
# that: the tests of Ctrl-C need the default again.
if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
    signal.signal(signal.SIGINT, signal.default_int_handler)


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config: pytest.Config, log: Any) -> Any:
    """Hand whole files to the workers, as `--dist loadfile` does, and files that share a training together."""
    from xdist.scheduler import LoadFileScheduling

    class ByTraining(LoadFileScheduling):  # type: ignore[misc]
        def _split_scope(self, nodeid: str) -> str:
            file = super()._split_scope(nodeid)
            return "taught" if file.endswith(TAUGHT) else file

    return ByTraining(config, log) if config.getoption("dist") == "loadfile" else None


@pytest.fixture(scope="session")
def smollm2() -> Iterator["LocalLLM"]:
    """The packaged SmolLM2-135M-Instruct, loaded once for all tests."""
    from lichen.agent.llm.local_llm import LocalLLM

    llm = LocalLLM()
    yield llm
    asyncio.run(llm.close())


@pytest.fixture(scope="session")
def converted_folder(smollm2: "LocalLLM") -> Path:
    """The folder of the converted model, as `transformers serve` takes it."""
    from lichen.agent.llm.catalog import locate

    return Path(locate("smollm2-135m"))
