"""`lichen skills try | replay | undo`: run a skill to see what it does; take a commit back."""

from typing import Annotated

import typer

from ...envs.errors import UsageError
from .library_change import By, Level, opened_to_change, say_verdict
from .options import Json, LibraryFolder, SkillName, Store, open_library, out, write_json


def undo(
    commit: Annotated[str, typer.Argument(help="Its first digits; see `lichen skills history`.")],
    to: Annotated[
        bool, typer.Option("--to", help="Make the whole library what it was at COMMIT.")
    ] = False,
    level: Level = None,
    by: By = "person",
    library: LibraryFolder = None,
    store: Store = None,
    json_path: Json = None,
) -> None:
    """Take back what one commit did to the skills, as a new commit; all that is touched is tested."""
    open_library(library, store)
    with opened_to_change(library, store, level, by) as shop:
        say_verdict(shop.workshop.undo(commit, to=to), json_path)


def try_(
    name: SkillName,
    task: Annotated[str, typer.Argument(metavar="TASK", help="A task of its environment.")],
    given: Annotated[
        list[str] | None, typer.Option("--arg", "-a", help="An argument, as NAME=VALUE.")
    ] = None,
    setup: Annotated[
        list[str] | None, typer.Option("--setup", help="An action before it is called.")
    ] = None,
    seed: Annotated[int, typer.Option("--seed", help="Of the task.")] = 0,
    level: Level = None,
    library: LibraryFolder = None,
    store: Store = None,
    json_path: Json = None,
) -> None:
    """Run a skill in the jail against a task, and show its steps; exit 1 unless it succeeds.

    Nothing is written.
    """
    from ...skills.dry_run import DryStep
    from ...skills.typed_value import typed_value

    open_library(library, store)

    def tell(step: DryStep) -> None:
        if json_path != "-":
            said = f"refused: {step.error}" if step.error else step.answer
            out(json_path).print(f"> {step.action}\n{said}", markup=False, highlight=False)

    with opened_to_change(library, store, level, "person") as shop:
        parameters = shop.workshop.find(name)[0].contract.parameters
        arguments = {}
        for word in given or ():
            key, is_given, text = word.partition("=")
            if not is_given or key not in parameters:
                raise UsageError(
                    f"{word!r} is no argument of {name}: NAME=VALUE",
                    hint=f"It takes {', '.join(parameters) or 'none'}.",
                )
            arguments[key] = typed_value(text, parameters[key].type, f"the argument {key!r}")
        done = shop.workshop.try_out(
            name, task, arguments, setup=setup or (), seed=seed, on_step=tell
        )
    write_json(done.model_dump(mode="json"), json_path)
    if json_path != "-":
        out(json_path).print(
            f"{done.skill}: {done.outcome}{f', {done.reason}' if done.reason else ''} "
            f"({sum(not step.setup for step in done.steps)} steps, jail: {done.level or '-'})",
            markup=False,
        )
    if done.outcome != "success":
        raise typer.Exit(1)


def replay(
    call: Annotated[str, typer.Argument(metavar="CALL", help="Its number in `skills show NAME`.")],
    level: Level = None,
    library: LibraryFolder = None,
    store: Store = None,
    json_path: Json = None,
) -> None:
    """Run a past call again where it was made, with the code of then; exit 1 unless it comes to the same.

    Nothing is written: neither store nor library change.
    """
    from .skill_call_tables import ledger_in, print_replayed

    open_library(library, store)
    if (ledger := ledger_in(store)) is None:
        raise UsageError("this store has no ledger, so no call of a skill", hint="Name it: --store")
    with opened_to_change(library, store, level, "person") as shop:
        replayed = shop.workshop.replay(call, ledger)
    write_json({**replayed.model_dump(mode="json"), "same": replayed.same}, json_path)
    if json_path != "-":
        print_replayed(out(json_path), replayed)
    if not replayed.same:
        raise typer.Exit(1)
