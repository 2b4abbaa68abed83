"""`lichen store pack | unpack | merge`: ship what was learned, and bring back what was learned elsewhere."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from .options import DEFAULT, Json, Store, out, write_json

if TYPE_CHECKING:
    from ...skills.packing import Packed

Library = Annotated[
    Path | None, typer.Option("--library", help="Folder of the skills. [default: STORE/skills]")
]


def pack(
    file: Annotated[Path, typer.Argument(help="The pack to write, for example desk.lichen.")],
    store: Store = None,
    library: Library = None,
    json_path: Json = None,
) -> None:
    """Write ledger, skills and the items of LichenStore into one file: no keys, no caches."""
    from ...skills.packing import pack as packed
    from ..skill_actions.open_library import FOLDER

    folder = store or DEFAULT
    _say(packed(folder, library or folder / FOLDER, file), "packed", json_path)


def unpack(
    file: Annotated[Path, typer.Argument(help="As `lichen store pack` writes it.")],
    store: Store = None,
    library: Library = None,
    json_path: Json = None,
) -> None:
    """Make a store of a pack; unpack only what comes from somebody you trust."""
    from ...skills.packing import unpack as unpacked
    from ..skill_actions.open_library import FOLDER

    folder = store or DEFAULT
    _say(unpacked(file, folder, library or folder / FOLDER), "unpacked", json_path)


def merge(
    file: Annotated[Path, typer.Argument(help="As `lichen store pack` writes it.")],
    store: Store = None,
    library: Library = None,
    json_path: Json = None,
) -> None:
    """Bring what a pack knows and the store does not into the store; nothing that is there is changed."""
    from ...memory.store.store import Store as Opened
    from ...skills.packing import merge as merged
    from ..skill_actions.open_library import FOLDER

    folder = store or DEFAULT
    with Opened(folder) as opened:
        done = merged(file, opened, library or folder / FOLDER)
    _say(done, "new", json_path)


def _say(done: "Packed", word: str, json_path: str | None) -> None:
    write_json(done.model_dump(mode="json"), json_path)
    if json_path == "-":
        return
    console = out(json_path)
    said = f"{done.events} events, {done.episodes} episodes, {done.skills} skills"
    console.print(f"{said}, {done.items} items {word}")
    for name in done.kept:
        console.print(f"{name} is there already, and stays as it is", markup=False)
    if done.kept_items:
        console.print(f"{done.kept_items} items are there already, and stay as they are")
