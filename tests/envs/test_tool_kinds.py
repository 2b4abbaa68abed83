"""Tools as people have them: async, generators, partials, objects, LangChain's, odd names and results."""

import asyncio
import enum
import functools
from collections.abc import AsyncIterator, Callable, Iterator
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import Annotated, Any, Literal, Optional

import numpy as np
import pytest
from langchain_core.tools import StructuredTool
from langchain_core.tools import tool as langchain_tool
from pydantic import BaseModel, Field

from lichen.envs import Functions, Request, Tool, UsageError
from lichen.envs.tools import problem_of, read_call, write_call


class Color(enum.Enum):
    """A reference in JSON Schema."""

    RED = "red"
    BLUE = "blue"


class Street(BaseModel):
    """A form."""

    name: str
    number: int = Field(ge=1, description="of the house")


@dataclass
class Person:
    """A record."""

    name: str
    born: date


class Connection:
    """Nothing that JSON has."""


async def lookup(name: str) -> str:
    """Look up a customer."""
    await asyncio.sleep(0)
    return f"found {name}"


def logged(function: Callable[..., Any]) -> Callable[..., Any]:
    @functools.wraps(function)
    def inner(*given: Any, **named: Any) -> Any:
        return function(*given, **named)

    return inner


def rows(n: int) -> Iterator[int]:
    """Yield rows."""
    yield from range(n)


async def later(n: int) -> AsyncIterator[int]:
    """Yield rows, later."""
    for i in range(n):
        yield i


def order(_id: str, note: str = "") -> str:
    """Get an order.

    Never on Sundays.
    """
    return _id + note


class FindOrder:
    """Find an order."""

    def __init__(self, shop: str) -> None:
        self.shop = shop

    def __call__(self, order: str) -> str:
        return f"{order} in {self.shop}"

    def cancel(self, order: str) -> str:
        """Cancel an order."""
        return f"{order} is cancelled"


def test_async_functions_are_awaited_and_generators_listed() -> None:
    assert Tool(lookup).call({"name": "Ada"}) == "found Ada"
    assert Tool(logged(lookup)).call({"name": "Ada"}) == "found Ada"
    assert Tool(rows).call({"n": 3}) == Tool(later).call({"n": 3}) == "[0, 1, 2]"

    async def inside_a_loop() -> str:
        return Tool(lookup).call({"name": "Bo"})

    assert asyncio.run(inside_a_loop()) == "found Bo"

    def endless() -> Iterator[int]:
        while True:
            yield 1

    with pytest.raises(UsageError, match="yields more than"):
        Tool(endless).call({})


def test_what_an_async_function_opened_serves_its_next_call() -> None:
    loops = set()

    async def loop() -> str:
        loops.add(asyncio.get_running_loop())
        return ""

    for _ in range(2):
        Tool(loop).call({})
    assert len(loops) == 1


def test_a_tool_that_exits_fails_and_an_interruption_is_the_users() -> None:
    def stop() -> str:
        raise SystemExit(3)

    def interrupted() -> str:
        raise KeyboardInterrupt

    async def stopped() -> str:
        raise ValueError("closed")

    with pytest.raises(UsageError, match="stop failed: SystemExit: 3"):
        Tool(stop).call({})
    with pytest.raises(UsageError, match="stopped failed: ValueError: closed"):
        Tool(stopped).call({})
    with pytest.raises(KeyboardInterrupt):
        Tool(interrupted).call({})


@pytest.mark.parametrize(
    ("result", "text"),
    [
        (Person("Ada", date(1815, 12, 10)), '{"name": "Ada", "born": "1815-12-10"}'),
        (Street(name="Lane", number=3), '{"name": "Lane", "number": 3}'),
        ([Street(name="Lane", number=3)], '[{"name": "Lane", "number": 3}]'),
        (Color.RED, "red"),
        ({"城市": "北京", "total": Decimal("1.50")}, '{"城市": "北京", "total": "1.50"}'),
        ({1, 2}, "[1, 2]"),
        (b"caf\xe9", "caf\\xe9"),
        (np.arange(2), "[0, 1]"),
        ({"n": np.float64(0.5)}, '{"n": 0.5}'),
        (None, "null"),
        ("caf\udce9\0", "caf��"),
        (["caf\udce9"], '["caf�"]'),
    ],
)
def test_results_are_json_that_keeps_its_letters(result: Any, text: str) -> None:
    def give() -> Any:
        return result

    assert Tool(give).call({}) == text


def test_partials_methods_and_objects_are_tools() -> None:
    bound = Tool(functools.partial(order, note="!"))
    assert (bound.spec.name, bound.spec.required) == ("order", ("_id",))
    assert bound.call({"_id": "7"}) == "7!"
    assert Tool(functools.partial(order, "7"), name="order_7").call({"note": "?"}) == "7?"
    shop = FindOrder("Oslo")
    assert Tool(shop).spec.name == "find_order"
    assert Tool(shop).spec.description == "Find an order."
    assert Tool(shop).call({"order": "7"}) == "7 in Oslo"
    assert Tool(shop.cancel).call({"order": "7"}) == "7 is cancelled"


def test_langchain_tools_are_tools() -> None:
    @langchain_tool
    def add(a: int, b: Annotated[int, "the second"] = 1) -> int:
        """Add two numbers."""
        return a + b

    async def search(query: str) -> str:
        """Search the web."""
        return f"results for {query}"

    plain, alone = (
        Tool(add),
        Tool(StructuredTool.from_function(coroutine=search, name="web-search")),
    )
    assert (plain.spec.name, plain.spec.required) == ("add", ("a",))
    assert plain.spec.properties["b"]["description"] == "the second"
    assert plain.call({"a": 2}) == "3"
    with pytest.raises(UsageError, match="add: a"):
        plain.call({"a": "two"})
    assert alone.spec.name == "web_search"
    assert alone.call({"query": "moss"}) == "results for moss"


@pytest.mark.parametrize(
    "paint",
    [
        Literal["red", "blue"],
        Color,
        Optional[Literal["red", "blue"]],  # noqa: UP045
        Color | None,
        Annotated[Color, Field(description="of the wall")],
    ],
)
def test_listed_values_are_known_however_they_are_written(paint: Any) -> None:
    from lichen.memory.tools.candidates import candidates

    def wall(color: Any) -> str:
        """Paint the wall."""
        return str(color)

    wall.__annotations__["color"] = paint
    spec = Tool(wall).spec
    assert candidates([spec], "Paint the wall like the sky") == [
        "wall(color='blue')",
        "wall(color='red')",
    ]
    assert "must be one of 'red', 'blue'" in problem_of(spec, {"color": "wall"})
    assert "$ref" not in str(spec.plain)


def test_limits_and_descriptions_are_kept_and_checked() -> None:
    def ship(
        street: Street,
        weight: Annotated[float, Field(gt=0, le=30, description="kilograms")],
        tags: list[Color] | None = None,
        code: Annotated[str, Field(pattern="^[A-Z]{2}$")] = "NO",
    ) -> str:
        """Ship it."""
        return ""

    spec = Tool(ship).spec
    assert spec.properties["weight"]["description"] == "kilograms"
    assert spec.properties["street"]["properties"]["number"]["minimum"] == 1
    street = {"name": "Lane", "number": 3}
    right: dict[str, Any] = {"street": street, "weight": 2, "tags": ["red"], "code": "SE"}
    assert problem_of(spec, right) == ""
    for name, value, says in (
        ("weight", 0, "more than 0"),
        ("weight", 31.5, "at most 30"),
        ("weight", True, "of the kind number"),
        ("tags", ["green"], "'green' must be one of"),
        ("tags", "red", "of the kind array or null, not str"),
        ("code", "no", "must match"),
    ):
        assert says in problem_of(spec, {**right, name: value})


class Node(BaseModel):
    """A form inside itself."""

    name: str
    children: list["Node"] = []


def test_a_form_inside_itself_ends() -> None:
    def plant(tree: Node) -> str:
        """Plant it."""
        return tree.children[0].name

    spec = Tool(plant).spec
    tree = {"name": "a", "children": [{"name": "b"}]}
    assert "$ref" not in str(spec.plain) and problem_of(spec, {"tree": tree}) == ""
    assert Tool(plant).call({"tree": tree}) == "b"


def test_odd_names_can_be_called() -> None:
    from lichen.agent.talking.call_form import form_of_calls

    def 查询(城市: str, _id: int = 0) -> dict[str, str]:
        """查询天气。"""
        return {"城市": 城市}

    tool = Tool(查询)
    call = read_call(write_call("查询", {"城市": "北京", "_id": 2}), [tool.spec])
    assert tool.call(call.arguments) == '{"城市": "北京"}'
    form = form_of_calls([tool.spec]).model_json_schema()
    assert list(form["properties"]["arguments"]["properties"]) == ["城市", "_id"]
    foreign = tool.spec.model_copy(
        update={"parameters": {"properties": {"from": {}, "content-type": {}}}}
    )
    given = {"from": "a", "content-type": 1}
    assert read_call(write_call("查询", given), [foreign]).arguments == given


def test_the_whole_docstring_is_the_description() -> None:
    assert Tool(order).spec.description == "Get an order.\n\nNever on Sundays."


def _open(db: Connection) -> str:
    return ""


def _starred(*names: str) -> str:
    return ""


def _placed(name: str, /) -> str:
    return ""


def _called(then: Callable[[int], int]) -> str:
    return ""


@pytest.mark.parametrize(
    ("thing", "says"),
    [
        (_open, "'db: .*Connection'"),
        (_called, "'then: "),
        (_starred, r"\*names"),
        (_placed, "parameter name"),
        (FindOrder.cancel, "parameter 'self'"),
        (Street, "'Street' is a class"),
        (lambda x: x, "'<lambda>' is no name"),
        (functools.partial(_open), "'db: .*Connection'"),
        ("order", "a str"),
        (print, "cannot be"),
    ],
)
def test_what_can_be_no_tool_is_said_with_the_parameter(thing: Any, says: str) -> None:
    with pytest.raises(UsageError, match=says):
        Tool(thing)


def test_an_async_check_is_awaited() -> None:
    async def right(answer: str) -> bool:
        return answer == "3"

    shop = Functions("shop", [Tool(rows)], [Request("1", "How many?", right)])  # type: ignore[arg-type]
    shop.reset("shop/1")
    assert not shop.step("finish(answer='4')").observation.won
    shop.reset("shop/1")
    assert shop.step("finish(answer='3')").observation.won


def test_a_cached_function_is_a_tool() -> None:
    made: list[int] = []

    @functools.cache
    def double(number: int) -> int:
        "Double a number."
        made.append(number)
        return 2 * number

    tool = Tool(double)
    assert [tool.call({"number": 2}) for _ in range(2)] == ["4", "4"] and made == [2]
    assert tool.spec.name == "double" and tool.spec.description == "Double a number."
    assert "integer" in problem_of(tool.spec, {"number": "two"})
