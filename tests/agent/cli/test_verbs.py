"""The table of commands: every row leads to code, help is plain and quick, old spellings name the new one."""

import re
import subprocess
import sys
from pathlib import Path

import pytest
from typer.testing import CliRunner

from lichen.agent.cli.lazy import command_of
from lichen.agent.cli.main import app
from lichen.agent.cli.old_spellings import MOVED
from lichen.agent.cli.verbs import NOUNS, VERBS, Verb, below
from lichen.envs import UnknownName, UsageError

LICHEN = [sys.executable, "-m", "lichen.agent"]


def ids(verbs: tuple[Verb, ...]) -> list[str]:
    """Return the words of commands."""
    return [verb.words for verb in verbs]


@pytest.mark.parametrize("verb", VERBS, ids=ids(VERBS))
def test_every_command_and_every_option_has_a_plain_sentence(verb: Verb) -> None:
    command = command_of(verb)
    assert verb.help.endswith(".") and len(verb.help) <= 65
    assert command.help and command.help[0].isupper()
    for parameter in command.params:
        said = re.sub(r"\s*\[default: [^\]]*\]$", "", parameter.help or "")
        assert said.endswith(".") and len(said.split()) >= 3, (parameter.name, said)


def test_words_are_unique_and_every_noun_has_commands() -> None:
    words = ids(VERBS)
    assert len(words) == len(set(words))
    assert all(below(noun.words) for noun in NOUNS)
    assert all(row.heading for row in below("").values())


def test_help_fits_a_screen_and_the_words_stand_in_groups() -> None:
    done = CliRunner().invoke(app, ["--help"])
    lines = done.output.rstrip("\n").split("\n")
    assert done.exit_code == 0 and len(lines) <= 28 and max(map(len, lines)) <= 80
    places = [lines.index(f"{name}:") for name in ("Run and learn", "Look and edit", "Measure")]
    assert places == sorted(places)
    assert all(any(line.startswith(f"  {word} ") for line in lines) for word in below(""))


@pytest.mark.parametrize(
    ("words", "expected"),
    [
        (["--help"], set()),
        (["skills", "--help"], set()),
        (["skills", "jail", "--help"], set()),
        (["memory", "why", "--help"], {"cli.memory_why"}),
        (["certify", "--help"], {"lab.commands.certify"}),
    ],
)
def test_a_file_of_commands_is_imported_only_for_its_own_command(
    words: list[str], expected: set[str]
) -> None:
    files = sorted({verb.module for verb in VERBS})
    code = (
        f"import sys; sys.argv = ['lichen', *{words}]\n"
        "from lichen.agent.cli.main import main\n"
        "try: main()\n"
        "except SystemExit: pass\n"
        f"print([m for m in {files} if m in sys.modules], file=sys.stderr)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stderr.strip() == str([f"lichen.agent.{name}" for name in sorted(expected)])


@pytest.mark.parametrize("row", MOVED, ids=lambda row: f"{row.words} {row.option}".strip())
@pytest.mark.parametrize("form", ["apart", "joined"])
def test_an_old_spelling_is_one_sentence_that_names_the_new_one(row: object, form: str) -> None:
    words, option, says = row.words, row.option, row.says  # type: ignore[attr-defined]
    value = [] if not option else [option, "3"] if form == "apart" else [f"{option}=3"]
    done = CliRunner().invoke(app, [*words.split(), "demo", *value])
    assert isinstance(done.exception, UsageError)
    assert str(done.exception) == says and "`lichen " in says and done.exception.hint == ""


def test_old_spellings_and_wrong_words_end_with_status_2_and_one_line(tmp_path: Path) -> None:
    for words, says in (
        (["eval", "faithfulness", "--of", "cases"], "is `lichen bench faithfulness` now"),
        (["eval", "twx-stream", "--protocol", "continual"], "`lichen continual SUITE`"),
        (["evl"], "did you mean 'eval'?"),
        (["skills", "practice"], "did you mean 'practise'?"),
    ):
        done = subprocess.run(
            [*LICHEN, *words], cwd=tmp_path, capture_output=True, text=True, check=False
        )
        assert (done.returncode, done.stdout) == (2, "")
        assert says in done.stderr and done.stderr.count("\n") == 1


def test_words_of_no_command_are_named_with_those_that_there_are() -> None:
    done = CliRunner().invoke(app, ["memory", "lst"])
    assert isinstance(done.exception, UnknownName) and "did you mean 'ls'?" in str(done.exception)


def test_a_word_that_stands_below_a_noun_is_named_with_it() -> None:
    done = CliRunner().invoke(app, ["practise"])
    assert isinstance(done.exception, UnknownName)
    assert done.exception.hint == "There is `lichen skills practise`."
