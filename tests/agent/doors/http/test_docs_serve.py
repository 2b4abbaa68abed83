"""The curl lines of docs/serve.md, run against a real server process (scripted model)."""

import json
import re
import shlex
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest

PAGE = Path(__file__).parents[4] / "docs" / "serve.md"
Spawn = Any


@pytest.mark.skipif(shutil.which("curl") is None, reason="there is no curl here")
def test_scripted_the_curl_lines_of_the_page_work(spawn: Spawn) -> None:
    _, url = spawn()
    lines = re.findall(r"^curl .*$", PAGE.read_text(encoding="utf-8"), re.MULTILINE)
    assert len(lines) == 3
    name, answers = "", []
    for line in lines:
        words = shlex.split(line.replace("http://127.0.0.1:8000", url))
        words = [word.replace("ID-OF-THE-ANSWER", name) for word in words]
        done = subprocess.run(["curl", "-s", *words[1:]], capture_output=True, timeout=60)
        answers.append(json.loads(done.stdout))
        name = name or answers[0]["id"]
    assert answers[0]["choices"][0]["message"]["content"]
    assert answers[1]["taken"] and answers[2]["total"] == 1
