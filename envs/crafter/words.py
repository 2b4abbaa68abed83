"""The names of Crafter's actions, achievements, things and items; how they are connected is not known here."""

ACTIONS = (
    "noop",
    "move_left",
    "move_right",
    "move_up",
    "move_down",
    "do",
    "sleep",
    "place_stone",
    "place_table",
    "place_furnace",
    "place_plant",
    "make_wood_pickaxe",
    "make_stone_pickaxe",
    "make_iron_pickaxe",
    "make_wood_sword",
    "make_stone_sword",
    "make_iron_sword",
)
"""In upstream's order (`data.yaml`)."""

MOVES = ("noop", "move_left", "move_right", "move_up", "move_down")
"""Actions that only bring the player somewhere else."""

GOALS = {
    "collect_coal": "Collect coal.",
    "collect_diamond": "Collect a diamond.",
    "collect_drink": "Drink water.",
    "collect_iron": "Collect iron.",
    "collect_sapling": "Collect a sapling.",
    "collect_stone": "Collect stone.",
    "collect_wood": "Collect wood.",
    "defeat_skeleton": "Defeat a skeleton.",
    "defeat_zombie": "Defeat a zombie.",
    "eat_cow": "Eat a cow.",
    "eat_plant": "Eat a plant.",
    "make_iron_pickaxe": "Make an iron pickaxe.",
    "make_iron_sword": "Make an iron sword.",
    "make_stone_pickaxe": "Make a stone pickaxe.",
    "make_stone_sword": "Make a stone sword.",
    "make_wood_pickaxe": "Make a wood pickaxe.",
    "make_wood_sword": "Make a wood sword.",
    "place_furnace": "Place a furnace.",
    "place_plant": "Place a plant.",
    "place_stone": "Place stone.",
    "place_table": "Place a table.",
    "wake_up": "Sleep and wake up.",
}
"""Achievement -> the goal in words."""

ACHIEVEMENTS = tuple(GOALS)
"""All 22, sorted."""

OPEN = "open"
"""The family without one achievement as its goal."""

OPEN_GOAL = "Unlock as many different achievements as you can: " + ", ".join(
    name.replace("_", " ") for name in ACHIEVEMENTS
)

VITALS = ("health", "food", "drink", "energy")

ITEMS = (
    "sapling",
    "wood",
    "stone",
    "coal",
    "iron",
    "diamond",
    "wood_pickaxe",
    "stone_pickaxe",
    "iron_pickaxe",
    "wood_sword",
    "stone_sword",
    "iron_sword",
)

KINDS = (
    "unknown",
    "water",
    "grass",
    "stone",
    "path",
    "sand",
    "tree",
    "lava",
    "coal",
    "iron",
    "diamond",
    "table",
    "furnace",
    "cow",
    "zombie",
    "skeleton",
    "arrow",
    "plant",
    "ripe_plant",
    "fence",
    "edge",
)
"""What a cell can show; the index is the code on a chart. `edge` is where the world ends."""

SOUGHT = (
    "water",
    "grass",
    "stone",
    "tree",
    "coal",
    "iron",
    "diamond",
    "table",
    "furnace",
    "cow",
    "zombie",
    "skeleton",
    "plant",
    "ripe_plant",
)
"""Kinds that there is a reason to go to."""

FREE = ("grass", "sand", "path")
"""Ground to walk and build on."""

CREATURES = ("cow", "zombie", "skeleton", "arrow")
"""What moves: where it was last seen is no obstacle later."""

DIRECTIONS = {"left": (-1, 0), "right": (1, 0), "up": (0, -1), "down": (0, 1)}
"""As (east, south); `move_NAME` is the action."""

COMPASS = {(-1, 0): "west", (1, 0): "east", (0, -1): "north", (0, 1): "south"}


def spoken(name: str) -> str:
    """Return a name as it is said in a text.

    >>> spoken("iron_pickaxe")
    'iron pickaxe'
    """
    return name.replace("_", " ")
