"""`lichen bench retrieval`, small and with its real parts: its table, and answers that are exact there."""

import json
from pathlib import Path

from typer.testing import CliRunner

from lichen.agent.cli.main import app


def test_the_retrieval_bench_compares_like_with_like_and_answers_exactly(tmp_path: Path) -> None:
    file = tmp_path / "bench.json"
    done = CliRunner().invoke(
        app,
        ["bench", "retrieval", "--cases", "120,200", "--queries", "6", "--embedded", "150"]
        + ["--json", str(file)],
    )
    found = json.loads(file.read_text())
    assert done.exit_code == (0 if found["holds"] else 1), done.output
    assert found["bench"] == "retrieval"
    assert found["ratio"] > 0
    for size in (120, 200):
        rows = {row["what"]: row for row in found["rows"] if row["cases"] == size}
        read = {what: row for what, row in rows.items() if "p95_ms" in row}
        for mode in ("included", "excluded"):
            sides = [what for what in read if what.endswith(f", embedding {mode}")]
            assert len(sides) == (8 if mode == "excluded" else 6)
            assert {read[what]["recall"] for what in sides} == {1.0}
        assert all(row["n"] == 6 and row["p50_ms"] <= row["p95_ms"] for row in read.values())
        assert any(what.startswith("Lichen, steps") for what in read)
        figures = {what: row["value"] for what, row in rows.items() if "value" in row}
        assert all(value > 0 for value in figures.values())
        assert sum(what.startswith("p95 of Lichen") for what in figures) == (
            4 if size == 200 else 0
        )
        assert sum("bytes per" in what for what in figures) == 2
        assert sum("/s" in what for what in figures) == 4  # embedded, and three sides filled
        assert "Lichen, store opened, s" in figures


def test_sizes_that_are_no_numbers_are_one_sentence() -> None:
    done = CliRunner().invoke(app, ["bench", "retrieval", "--cases", "1000,many"])
    assert done.exit_code != 0
    assert "is not a list of numbers" in f"{done.output}{done.exception}"
