"""The planner's graph and the agent, end to end, with the real small model and real environments."""

import os
import subprocess
import sys
from pathlib import Path

from lichen.agent.open_agent import OpenAgent


def agent(folder: Path, llm: object = None, **options: object) -> OpenAgent:
    return OpenAgent.from_config(store=folder, embedder="hashing", llm=llm, **options)  # type: ignore[arg-type]


def test_the_ten_line_script_of_the_readme_runs(tmp_path: Path) -> None:
    readme = (Path(__file__).parents[2] / "README.md").read_text(encoding="utf-8")
    script = next(
        block.split("```")[0]
        for block in readme.split("```python\n")[1:]
        if "OpenAgent.from_config" in block
    )
    assert len(script.strip().splitlines()) <= 10
    done = subprocess.run(
        [sys.executable, "-c", script],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        timeout=900,
        env={**os.environ, "LICHEN_POLICY__CANDIDATES": "4", "LICHEN_POLICY__MARGIN": "0.5"},
    )
    assert done.returncode == 0, done.stderr
    assert any(word in done.stdout for word in ("success", "failure"))
