"""README and docs are true: their scripts run, their commands exist, their links lead somewhere."""

import os
import re
import shlex
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from pydantic import BaseModel
from typer.core import TyperGroup
from typer.main import get_command

from lichen.agent import AgentConfig
from lichen.agent.cli.main import app

ROOT = Path(__file__).parents[1]
PAGES = [ROOT / "README.md", ROOT / "CONTRIBUTING.md", *sorted((ROOT / "docs").glob("*.md"))]


def blocks(page: Path, language: str) -> list[str]:
    """Return the fenced blocks of one language."""
    text = page.read_text(encoding="utf-8")
    return re.findall(rf"^```{language}\n(.*?)^```", text, re.MULTILINE | re.DOTALL)


SCRIPTS = [
    pytest.param(block, id=f"{page.stem}-{number}")
    for page in PAGES
    for number, block in enumerate(blocks(page, "python"))
    if "agent.learn(" not in block  # tests/agent/test_agent.py runs that one
]
LINES = [
    pytest.param(line, id=f"{page.stem}: {line}")
    for page in PAGES
    for line in [
        *(row for block in blocks(page, "sh") for row in block.splitlines()),
        *re.findall(r"`(lichen [^`]*)`", page.read_text(encoding="utf-8")),
    ]
    if line.startswith("lichen ")
]


def test_the_readme_is_short_enough_to_be_read() -> None:
    assert len((ROOT / "README.md").read_text(encoding="utf-8").splitlines()) <= 200


@pytest.mark.parametrize("script", SCRIPTS)
def test_a_script_of_the_docs_runs_in_a_fresh_folder_offline(script: str, tmp_path: Path) -> None:
    nowhere = "http://127.0.0.1:9"
    offline = {"HF_HUB_OFFLINE": "1", "http_proxy": nowhere, "https_proxy": nowhere}
    done = subprocess.run(
        [sys.executable, "-c", script],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        timeout=600,
        env={**os.environ, **offline},
    )
    assert done.returncode == 0, done.stderr


@pytest.mark.parametrize("line", LINES)
def test_a_command_of_the_docs_exists_with_its_options(line: str) -> None:
    words = shlex.split(line, comments=True)[1:]
    command: Any = get_command(app)
    context = command.context_class(command, info_name="lichen")
    while words and isinstance(command, TyperGroup) and not words[0].startswith("-"):
        said = words.pop(0)
        command = command.get_command(context, said)
        assert command is not None, f"{line}: there is no command {said!r}"
        context = command.context_class(command, parent=context, info_name=said)
    known = {"--help", *(n for p in command.params for n in (*p.opts, *p.secondary_opts))}
    for word in words:
        if re.match(r"--?[a-z]", word):
            assert word.partition("=")[0] in known, f"{line}: no option {word}"


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_links_between_the_pages_lead_somewhere(page: Path) -> None:
    for target, _, anchor in (
        link.partition("#") for link in re.findall(r"\]\(([^)]+)\)", page.read_text("utf-8"))
    ):
        if target.startswith("http"):
            continue
        to = page.parent / target if target else page
        assert to.exists(), f"{page.name} links to {target}"
        if anchor:
            titles = re.findall(r"^#+ (.*)$", to.read_text("utf-8"), re.MULTILINE)
            slugs = {re.sub(r"[^\w\- ]", "", t.lower()).replace(" ", "-") for t in titles}
            assert anchor in slugs, f"{page.name} links to {target}#{anchor}"


def settings_of(config: type[BaseModel], prefix: str = "") -> Iterator[str]:
    """Yield the dotted names of all settings."""
    for name, field in config.model_fields.items():
        kind = field.annotation
        if isinstance(kind, type) and issubclass(kind, BaseModel):
            yield from settings_of(kind, f"{prefix}{name}.")
        else:
            yield prefix + name


def test_the_page_for_embedding_names_every_setting_and_no_other() -> None:
    text = (ROOT / "docs" / "embed.md").read_text(encoding="utf-8")
    rows = text.split("| group | settings |")[1].split("\n\n")[0].splitlines()[2:]
    named = [name for row in rows for name in re.findall(r"`([^`]+)`", row.split("|")[2])]
    assert sorted(named) == sorted(settings_of(AgentConfig))


def test_settings_that_the_pages_name_exist() -> None:
    known = set(settings_of(AgentConfig))
    whole = {name[: m.start()] for name in known for m in re.finditer(r"\.", name)} | known
    for page in PAGES:
        for said in re.findall(
            r"\b((?:policy|retriever|softcot|skills)\.[a-z_.]+[a-z])\b(?!\.)",
            page.read_text("utf-8"),
        ):
            if not said.endswith((".md", ".py")):
                assert said in whole, f"{page.name} names {said}"


def test_files_and_rooms_that_the_pages_name_exist() -> None:
    for page in PAGES:
        for said in re.findall(
            r"`((?:envs|memory|skills|agent|tests)/[\w/.]*)`", page.read_text("utf-8")
        ):
            assert (ROOT / said).exists(), f"{page.name} names {said}"
