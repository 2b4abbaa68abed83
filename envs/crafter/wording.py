"""What the player sees and what an action did, in words; nothing here decides anything."""

from collections.abc import Mapping
from dataclasses import dataclass

from .game import Game
from .words import COMPASS, ITEMS, KINDS, VITALS, spoken


@dataclass(frozen=True)
class Glance:
    """The player at one moment, to tell what an action changed."""

    position: tuple[int, int]
    facing: tuple[int, int]
    asleep: bool
    inventory: Mapping[str, int]
    counts: Mapping[str, int]
    """How often each achievement was reached."""
    faced: str


def glance(game: Game) -> Glance:
    """Return the player as of now."""
    return Glance(
        position=game.position,
        facing=game.facing,
        asleep=game.asleep,
        inventory=game.inventory,
        counts=game.counts,
        faced=faced(game),
    )


def faced(game: Game) -> str:
    """Return the kind of the cell that the player looks at."""
    (x, y), (east, south) = game.position, game.facing
    left, top, shown = game.window()
    x, y = x + east - left, y + south - top
    if 0 <= x < shown.shape[0] and 0 <= y < shown.shape[1]:
        return KINDS[int(shown[x, y])]
    return "edge"


def in_sight(game: Game) -> dict[str, tuple[int, int, int]]:
    """Return the nearest of each kind in sight, nearest first: kind -> (steps away, east, south)."""
    left, top, shown = game.window()
    x, y = game.position
    found: dict[str, tuple[int, int, int]] = {}
    for east, column in enumerate(shown.tolist(), start=left - x):
        for south, code in enumerate(column, start=top - y):
            away = abs(east) + abs(south)
            if away and (KINDS[code] not in found or away < found[KINDS[code]][0]):
                found[KINDS[code]] = (away, east, south)
    return dict(sorted(found.items(), key=lambda item: (item[1][0], item[0])))


def place(game: Game) -> str:
    """Return what is seen: the things, what is faced, how the player is, what it carries."""
    things = "; ".join(f"{spoken(k)} {_where(e, s)}" for k, (_, e, s) in in_sight(game).items())
    asleep = " You are asleep." if game.asleep else ""
    dark = " It is dark." if game.dark else ""
    return (
        f"You see: {things}. You face {spoken(faced(game))} to the {COMPASS[game.facing]}. "
        f"{carried(game)}{asleep}{dark}"
    )


def carried(game: Game) -> str:
    """Return the vitals and the items that the player has."""
    held = game.inventory
    vitals = " ".join(f"{name} {held[name]}/9" for name in VITALS)
    items = ", ".join(f"{held[name]} {spoken(name)}" for name in ITEMS if held[name]) or "nothing"
    return f"Status: {vitals}. You carry: {items}."


def happened(action: str, before: Glance, game: Game) -> str:
    """Return what an action did, in one or more sentences.

    An action that changed nothing is told as such: that something could not be made is worth knowing.
    """
    after = glance(game)
    said = _gains(before, after)
    new = [name for name, count in after.counts.items() if count and not before.counts[name]]
    said += [f"You unlocked an achievement: {spoken(name)}." for name in sorted(new)]
    hurt = before.inventory["health"] - after.inventory["health"]
    if game.dead:
        said.append("You died.")
    elif hurt > 0:
        said.append(f"You lost {hurt} health.")
    if before.asleep and not after.asleep:
        said.append("You woke up.")
    elif before.asleep:
        said.append("You sleep.")
    elif action == "noop":
        said.append("You wait.")
    elif action == "do" and before.faced in ("cow", "zombie", "skeleton"):
        said.append(f"You hit the {before.faced}.")
    elif not said and _same(before, after):
        said.append("Nothing happened.")
    elif action.startswith("move_") and before.position == after.position:
        said.append("You turned.")
    return " ".join(said)


def _gains(before: Glance, after: Glance) -> list[str]:
    changes = {name: after.inventory[name] - before.inventory[name] for name in (*ITEMS, *VITALS)}
    got = [f"You got {changes[name]} {spoken(name)}." for name in ITEMS if changes[name] > 0]
    used = [f"You used {-changes[name]} {spoken(name)}." for name in ITEMS if changes[name] < 0]
    eaten = [f"{name.capitalize()} +{changes[name]}." for name in VITALS[1:3] if changes[name] > 0]
    return [*got, *used, *eaten]


def _same(before: Glance, after: Glance) -> bool:
    """Return whether an action did nothing, by what upstream counts and by where the player is."""
    return (before.position, before.facing, before.asleep, before.counts) == (
        after.position,
        after.facing,
        after.asleep,
        after.counts,
    )


def _where(east: int, south: int) -> str:
    parts = []
    if south:
        parts.append(f"{abs(south)} {'south' if south > 0 else 'north'}")
    if east:
        parts.append(f"{abs(east)} {'east' if east > 0 else 'west'}")
    return " ".join(parts)
