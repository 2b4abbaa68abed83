"""A store with something of everything, made by the real parts: what the pages are looked at with."""

from pathlib import Path

from lichen.agent import Agent, ScriptedLLM
from lichen.agent.skill_actions.open_library import FOLDER, OpenLibrary
from lichen.envs import Tool, make
from lichen.memory import from_gold, import_demonstrations
from lichen.skills.library import Library
from lichen.skills.types import Contract, Parameter, Skill, SkillTest

PLANTED = '<script>document.title="hacked"</script><img src=x onerror="document.title=1">'
"""Text that a page must show and not obey."""
TURNED = "refund \u202e4711\u202c now \x1b[31mred\x1b[0m"
TRAIN = "alfworld-mini/train/"
BOOK = TRAIN + "pick_and_place_simple-Book-None-Shelf-1/mini_train_1"
SPOON = TRAIN + "pick_and_place_simple-Spoon-None-Drawer-0/mini_train_0"
PLATE = TRAIN + "pick_clean_then_place_in_recep-Plate-None-Cabinet-2/mini_train_2"
TAKE = '''
def take(api: API, thing: str, place: str) -> bool:
    """Go to a place and take a thing from it."""
    api.act(f"go to {place}")
    api.act(f"take {thing} from {place}")
    return True
'''
CALLS = '''
def fetch(api: API, thing: str, place: str) -> bool:
    """Take a thing from wherever it is."""
    return api.skill("take@1", thing=thing, place=place)
'''


def find_order(order: int) -> dict[str, object]:
    """Say where an order is.

    Args:
        order: Its number.
    """
    if order == 13:
        raise ValueError("order 13 is no order: numbers have four digits")
    return {"order": order, "where": "Oslo", "note": PLANTED if order == 666 else ""}


def refund(order: int, reason: str = "") -> str:
    """Pay an order back."""
    return f"paid back order {order}"


def take_skill(name: str = "take", code: str = TAKE) -> Skill:
    """A skill that a person could have written."""
    tests = [
        ("origin", BOOK, "book 1", "bed 1", True),
        ("spoon", SPOON, "spoon 1", "countertop 1", False),
        ("plate", PLATE, "plate 1", "countertop 2", False),
    ]
    return Skill(
        name=name,
        description="Go to a place and take a thing from it.",
        code=code,
        contract=Contract(
            env="alfworld-mini",
            parameters={"thing": Parameter(type="str"), "place": Parameter(type="str")},
            preconditions=('can("go to {place}")',),
            postconditions=('has("{thing}")',),
            capabilities=("act",),
        ),
        tests=tuple(
            SkillTest(name=n, task_id=t, arguments={"thing": x, "place": p}, origin=o)
            for n, t, x, p, o in tests
        ),
    )


def furnish(folder: Path) -> None:
    """Make a store in a folder: demonstrations, own episodes, requests of two users, a skill library."""
    games = make("alfworld-mini")
    shown = [task.id for task in games.tasks("train")]
    with Agent.from_config(store=folder, seed=1, policy={"llm": False}) as agent:
        import_demonstrations(agent.store, from_gold(games, shown), run="gold")
        agent.learn("alfworld-mini", episodes=12)
    games.close()
    _asked(folder)
    _skills(folder / FOLDER)
    with Agent.from_config(
        store=folder, seed=2, policy={"llm": False}, skills={"on": True}
    ) as agent:
        agent.learn("alfworld-mini", episodes=4)


def _asked(folder: Path) -> None:
    script = [
        '{"tool": "find_order", "arguments": {"order": 4711}}',
        "It is in Oslo.",
        '{"tool": "find_order", "arguments": {"order": 13}}',
        "I cannot find it.",
        '{"tool": "find_order", "arguments": {"order": 666}}',
        "It is in Oslo too.",
        '{"tool": "refund", "arguments": {"order": 4712}}',
        "Bob's secret answer.",
    ]
    tools = [Tool(find_order), Tool(refund, needs_approval=True)]
    with Agent.from_config(store=folder, llm=ScriptedLLM(script), tools=tools) as agent:
        ann = "acme/ann"
        agent.feedback(agent.ask("My parcel 4711 never came", user=ann), good=True)
        wrong = agent.ask("Where is order 13?", user=ann)
        agent.feedback(wrong, correct="Numbers have four digits: look at the letter again.")
        agent.feedback(agent.ask(f"{PLANTED} {TURNED}", user=ann), good=True)
        agent.ask("Pay back 4712", user="acme/bob")


def _skills(root: Path) -> None:
    with OpenLibrary(root) as opened:
        assert opened.workshop.edit(take_skill()).outcome == "success"
        assert opened.workshop.edit(take_skill("fetch", CALLS)).outcome == "success"
        opened.workshop.draft("wash", "alfworld-mini")
    with OpenLibrary(root, approve=True, author="agent") as proposing:
        again = TAKE.replace("take(", "grab(", 1).replace(
            "return True", 'return api.act("look") is not None'
        )
        proposing.admission().admit(take_skill("grab", again), author="agent")
    assert set(Library(root).all("proposals")) == {"grab"}
