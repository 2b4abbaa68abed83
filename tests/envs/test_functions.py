"""Functions of the caller's as an environment."""

import pytest

from lichen.envs import Functions, Request, Tool, UsageError

STOCK = {"red lamp": 3, "blue chair": 0, "green table": 12}


def count(item: str) -> int:
    """Say how many pieces of an item are in stock."""
    if item not in STOCK:
        raise KeyError(item)
    return STOCK[item]


def price(item: str, currency: str = "EUR") -> float:
    """Say what an item costs."""
    return float(len(item))


def shop(*, version: str = "1", functions: tuple[str, ...] = ("count", "price")) -> Functions:
    tools = {"count": Tool(count, version=version), "price": Tool(price)}
    requests = [
        Request(
            name.replace(" ", "-"),
            f"How many pieces of '{name}' are there?",
            lambda answer, n=n: str(n) in answer,  # type: ignore[misc]
        )
        for name, n in STOCK.items()
    ]
    return Functions("shop", [tools[name] for name in functions], requests)


def test_functions_of_the_callers_are_an_environment_whose_failures_are_refused_calls() -> None:
    environment = shop()
    environment.reset("shop/red-lamp")
    wrong = environment.step("count(item='sofa')")
    assert "KeyError" in wrong.error and "KeyError" in wrong.observation.text
    assert environment.step("count(item='red lamp')").observation.text == "3"
    won = environment.step("finish(answer='there are 3')")
    assert won.terminated and won.observation.won
    environment.reset("shop/red-lamp")
    assert environment.step("finish(answer='none')").terminated
    with pytest.raises(UsageError, match="name of its own"):
        Functions("twice", [Tool(count), Tool(count)], [Request("1", "?", bool)])
