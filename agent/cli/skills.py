"""`lichen skills list | show | graph | history | diff`: look at the library."""

from pathlib import Path
from typing import Annotated, Literal

import typer
from rich.syntax import Syntax
from rich.table import Table
from rich.tree import Tree

from .options import (
    DEFAULT,
    Json,
    LibraryFolder,
    SkillName,
    Store,
    open_library,
    out,
    row,
    skill_names,
    write_json,
)

ShelfOption = Annotated[
    Literal["skills", "proposals", "drafts", "quarantine", "archive"],
    typer.Option("--shelf", help="Where in the library to look."),
]


def list_(
    shelf: ShelfOption = "skills",
    env: Annotated[str | None, typer.Option("--env", help="Only this environment's.")] = None,
    library: LibraryFolder = None,
    store: Store = None,
    json_path: Json = None,
) -> None:
    """List the skills of a shelf, with what the ledger says of their use, and the library's figures."""
    from ...skills.operations import Workshop

    found = open_library(library, store)
    workshop = Workshop(found)
    rows = [r for r in workshop.rows(shelf) if env is None or r.env == env]
    uses = _uses(store)
    figures = workshop.figures()
    write_json(
        {
            "skills": [
                {**r.model_dump(mode="json"), "use": uses.get(f"{r.name}@{r.version}", {})}
                for r in rows
            ],
            "figures": figures.model_dump(mode="json"),
            "broken": found.broken,
            "waiting": {s: len(found.repository.folders(s)) for s in ("proposals", "drafts")},
        },
        json_path,
    )
    if json_path == "-":
        return
    console = out(json_path)
    table = Table(title=f"{len(rows)} on {shelf}")
    for name in ("skill", "call", "calls", "tests", "by", "called", "succeeded", ""):
        table.add_column(
            name, justify="right" if name in ("tests", "called", "succeeded") else "left"
        )
    for r in rows:
        use = uses.get(f"{r.name}@{r.version}", {})
        marks = [m for m, on in (("pinned", r.pinned), ("edited by hand", r.edited)) if on]
        row(
            table,
            f"{r.name}@{r.version}",
            r.signature or "instructions",
            ", ".join(r.calls),
            str(r.tests),
            r.maker,
            str(use.get("called", 0)),
            str(use.get("succeeded", 0)),
            ", ".join(marks),
            style="yellow" if r.edited else None,
        )
    console.print(table)
    console.print(
        f"{figures.skills} can be called; {figures.with_parameters:.0%} take a parameter, "
        f"{figures.composed:.0%} call another, {figures.deepest} deep; {figures.tests} tests"
    )
    for name, why in found.broken.items():
        console.print(f"not callable: {name}: {why}", style="red", markup=False)
    for other in ("proposals", "drafts"):
        if n := len(found.repository.folders(other)):
            console.print(f"{n} on {other}: lichen skills list --shelf {other}")


def _uses(store: Path | None) -> dict[str, dict[str, int]]:
    """Return what the ledger says of each skill, with all LLMs together; nothing where there is no ledger."""
    from ...memory.store.store import Store as Opened

    folder = store or DEFAULT
    if not (folder / "ledger.sqlite").exists():
        return {}
    with Opened(folder, read_only=True) as ledger:
        uses = ledger.fold.uses
        names = {use.skill for use in uses.counts.values()}
        return {
            name: uses.total(name).model_dump(exclude={"skill", "llm"}) for name in sorted(names)
        }


def show(
    name: SkillName,
    calls: Annotated[int, typer.Option("--calls", min=0, help="Last calls to list.")] = 5,
    library: LibraryFolder = None,
    store: Store = None,
    json_path: Json = None,
) -> None:
    """Show a skill: description, contract, code, tests, callers, what its calls cost, the last of them."""
    from ...memory.credit.past_calls import costs
    from ...skills.call_graph import callees, callers, dependents
    from ...skills.operations import Workshop
    from .skill_call_tables import ledger_in, print_calls

    found = open_library(library, store)
    workshop = Workshop(found)
    skill, shelf = workshop.find(name)
    skills = found.all()
    above = sorted(callers(skills.values()).get(skill.name, ()))
    paths = dependents(skills, skill.name) if shelf == "skills" else []
    use = _uses(store).get(skill.id, {})
    ledger = ledger_in(store)
    past = workshop.calls(name, ledger) if ledger is not None else []
    cost = costs(past)
    write_json(
        {
            **skill.model_dump(mode="json"),
            "shelf": shelf,
            "callers": above,
            "dependents": [list(path) for path in paths],
            "use": use,
            "cost": [c.model_dump(mode="json") for c in cost],
            "calls": [call.model_dump(mode="json") for call in past[:calls]],
        },
        json_path,
    )
    if json_path == "-":
        return
    console = out(json_path)
    console.print(f"[bold]{skill.id}[/bold] on {shelf}, by {skill.contract.maker}")
    console.print(skill.description, markup=False)
    if not skill.runnable:
        console.print(skill.body, markup=False)
        return
    console.print(f"call: {skill.signature()}", markup=False)
    for title, said in (
        ("needs", skill.contract.preconditions),
        ("promises", skill.contract.postconditions),
        ("may use", [f"api.{c}" for c in skill.contract.capabilities]),
        ("calls", sorted(callees(skill))),
        ("called by", above),
        ("would be tested with it", [" -> ".join(path) for path in paths]),
    ):
        if said:
            console.print(f"{title}: {', '.join(said)}", markup=False)
    for known, number in use.items():
        console.print(f"{known}: {number}")
    console.print(Syntax(skill.code, "python", line_numbers=True, word_wrap=True))
    table = Table(title="tests")
    for column in ("name", "task", "setup", "arguments"):
        table.add_column(column)
    for test in skill.tests:
        row(table, test.name, test.task_id, f"{len(test.setup)} actions", str(dict(test.arguments)))
    console.print(table)
    print_calls(console, cost, past[:calls], len(past))


def graph(library: LibraryFolder = None, store: Store = None, json_path: Json = None) -> None:
    """Show who calls whom, as a tree from the skills that nobody calls."""
    from ...skills.call_graph import callees, callers
    from ...skills.operations import Workshop

    found = open_library(library, store)
    skills = found.all()
    workshop = Workshop(found)
    write_json(
        {"nodes": [s.id for s in skills.values()], "edges": workshop.edges()},
        json_path,
    )
    if json_path == "-":
        return
    called = callers(skills.values())
    tree = Tree("library")

    def grow(branch: Tree, name: str) -> None:
        inner = branch.add(skills[name].id)
        for below in sorted(callees(skills[name]) & skills.keys()):
            grow(inner, below)

    for name in skills:
        if name not in called:
            grow(tree, name)
    out(json_path).print(tree)


def history(
    name: Annotated[
        str,
        typer.Argument(
            metavar="[NAME]", autocompletion=skill_names, help="Only this skill. [default: all]"
        ),
    ] = "",
    library: LibraryFolder = None,
    store: Store = None,
    json_path: Json = None,
) -> None:
    """List the changes of a skill, or of the whole library, newest first."""
    from datetime import datetime

    from ...skills.operations import Workshop

    revisions = Workshop(open_library(library, store)).history(name)
    write_json({"revisions": [r.model_dump(mode="json") for r in revisions]}, json_path)
    if json_path == "-":
        return
    table = Table()
    for column in ("commit", "when", "by", "what"):
        table.add_column(column)
    for r in revisions:
        when = datetime.fromtimestamp(r.at).isoformat(" ", "minutes")
        row(table, r.commit[:10], when, r.author, r.message)
    out(json_path).print(table)


def diff(
    name: SkillName,
    old: Annotated[
        str, typer.Argument(metavar="[OLD]", help="Version or commit to begin from.")
    ] = "",
    new: Annotated[
        str,
        typer.Argument(
            metavar="[NEW]", help="Version or commit to compare with. [default: the last]"
        ),
    ] = "",
    library: LibraryFolder = None,
    store: Store = None,
) -> None:
    """Show what changed between two versions or commits; without them, what was edited by hand."""
    from ...skills.versions import changed

    text = changed(open_library(library, store), name, old, new)
    out(None).print(Syntax(text, "diff") if text else "No difference.")
