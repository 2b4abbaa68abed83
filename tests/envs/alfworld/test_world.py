"""The rules of ALFWorld's world."""


def test_things_are_examined_only_when_held_and_may_be_in_two_places() -> None:
    from lichen.envs.alfworld.problem import parse
    from lichen.envs.alfworld.world import Household

    text = (
        "(define (problem p) (:domain alfred) (:objects agent1 - agent Mug_bar_1 - object "
        "Counter_bar_1 - receptacle Machine_bar_1 - receptacle l0 - location l1 - location) (:init "
        "(receptacleType Counter_bar_1 CounterTopType) (receptacleType Machine_bar_1 CoffeeMachineType) "
        "(receptacleAtLocation Counter_bar_1 l1) (receptacleAtLocation Machine_bar_1 l1) "
        "(objectType Mug_bar_1 MugType) (pickupable Mug_bar_1) (objectAtLocation Mug_bar_1 l1) "
        "(canContain CounterTopType MugType) (inReceptacle Mug_bar_1 Counter_bar_1) "
        "(inReceptacle Mug_bar_1 Machine_bar_1) (atLocation agent1 l0)) "
        "(:goal (and (exists (?o - object) (and (objectType ?o MugType) (holds agent1 ?o))))))"
    )
    world = Household(parse(text))
    world.commands()["go to counter 1"]()
    commands = world.commands()
    assert {"take mug 1 from counter 1", "take mug 1 from machine 1"} <= set(commands)
    assert "examine mug 1" not in commands
    commands["take mug 1 from counter 1"]()
    assert "examine mug 1" in world.commands()
    assert world.won
