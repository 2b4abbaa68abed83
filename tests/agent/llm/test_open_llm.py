"""From a word in the settings to a client: servers, other packages' backends, models here."""

import asyncio
import os
import subprocess
import sys
from pathlib import Path

import pytest

from lichen.agent.llm import FrozenLLM, open_llm
from lichen.agent.llm.local_llm import LocalLLM
from lichen.agent.llm.protocol import SteerableLLM, steerable
from lichen.agent.llm.scripted_llm import ScriptedLLM
from lichen.agent.llm.thought import Thought, choose
from lichen.envs import UsageError


def test_both_clients_keep_the_protocol(smollm2: LocalLLM) -> None:
    assert isinstance(smollm2, FrozenLLM)
    assert isinstance(open_llm("openai:any", base_url="http://127.0.0.1:9/v1"), FrozenLLM)


BACKEND = """
from lichen.agent import ScriptedLLM

def open_echo(name, *, base_url, local):
    llm = ScriptedLLM([f"{name} at {base_url}, {local.dtype}"])
    llm.name = name
    return llm
"""


def test_another_packages_backend_is_found_by_its_entry_point(tmp_path: Path) -> None:
    """A real distribution on the path: what `pip install` of such a package leaves."""
    (tmp_path / "echo_llm.py").write_text(BACKEND)
    info = tmp_path / "echo_llm-1.0.dist-info"
    info.mkdir()
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: echo-llm\nVersion: 1.0\n")
    (info / "entry_points.txt").write_text("[lichen.llms]\necho = echo_llm:open_echo\n")
    code = (
        "import asyncio\n"
        "from lichen.agent import load_config\n"
        "llm = load_config(model='echo:parrot', base_url='http://here').open_llm()\n"
        "print(llm.name, '|', asyncio.run(llm.complete('hello')))\n"
        "from lichen.agent.llm.open_llm import schemes\n"
        "print(schemes())"
    )
    done = subprocess.run(
        [sys.executable, "-c", code],
        env={**os.environ, "PYTHONPATH": str(tmp_path)},
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stderr
    assert "parrot | parrot at http://here, float32" in done.stdout
    assert "('echo', 'llamacpp', 'openai')" in done.stdout


def test_a_model_that_takes_no_soft_thoughts_is_named() -> None:
    assert isinstance(LocalLLM("smollm2-135m"), SteerableLLM)
    with pytest.raises(UsageError, match="takes no soft thoughts"):
        steerable(ScriptedLLM())
    asked = Thought(vectors=object())
    with pytest.raises(UsageError, match="need a model in this process"):
        asyncio.run(choose(ScriptedLLM(), "now:", [" go\n"], asked))
