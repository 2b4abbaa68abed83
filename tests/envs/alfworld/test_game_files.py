"""The official folder and the packed file give the same game."""

import json
from pathlib import Path

import pytest

from lichen.envs.alfworld.game_files import OfficialGames, PackedGames
from lichen.envs.errors import BadFile


def test_the_official_folder_and_the_packed_file_give_the_same_game(tmp_path: Path) -> None:
    import lzma
    from importlib.resources import files

    lines = files("lichen.envs.alfworld").joinpath("mini.jsonl").read_text().splitlines()
    game = next(g for g in map(json.loads, lines) if g["split"] == "test")
    folder = tmp_path / "json_2.1.1" / "valid_unseen" / game["id"]
    folder.mkdir(parents=True)
    official = {
        "pddl_problem": game["problem"],
        "grammar": f'"rhs": "{game["task"]}"',
        "walkthrough": game["walkthrough"],
    }
    (folder / "game.tw-pddl").write_text(json.dumps(official))
    with lzma.open(tmp_path / "alfworld_valid_unseen.jsonl.xz", "wt") as packed:
        packed.write(json.dumps({"id": game["id"], **game}) + "\n")
    a, b = OfficialGames(tmp_path / "json_2.1.1"), PackedGames(tmp_path)
    assert a.ids("test") == b.ids("test") == (game["id"],)
    assert a.read("test", game["id"]) == b.read("test", game["id"])
    (folder / "game.tw-pddl").write_text("{torn")
    with pytest.raises(BadFile, match="is not an ALFWorld game"):
        a.read("test", game["id"])
