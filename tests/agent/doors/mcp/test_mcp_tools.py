"""Tools of a real MCP server process: called, refused, gone and back, changed between two runs (scripted)."""

import json
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from lichen.agent import Agent, McpServer, Unanswered, mcp_tools
from lichen.agent.config import load_config
from lichen.envs.errors import BadFile, EnvironmentFault, UsageError

Shop = Callable[..., McpServer]
Make = Callable[..., Agent]


def test_scripted_the_tools_of_a_server_answer_refuse_and_come_back(make: Make, shop: Shop) -> None:
    agent = make(mcp={"shop": shop(env={"SHOP": "the shop"}, timeout=5.0)})
    answer = agent.ask("Where is 4711?")
    assert answer.text == "I found: order 4711 is in Oslo, says the shop"
    refused = agent.ask("Where is 0?")
    assert "orders begin at 1" in refused.calls[0][1] and refused.outcome == "unknown"
    with pytest.raises(Unanswered, match="MCP server 'shop' did not answer"):
        agent.ask("Where is 13?")  # the process dies of it
    assert agent.ask("Where is 5?").text.startswith("I found: order 5 is in Oslo")
    assert not agent.store.episodes
    sent = json.dumps(
        [row.event.model_dump(mode="json") for row in agent.store.ledger.read() if row.event]
    )
    assert "the shop" not in sent.replace("says the shop", "")  # values of `env` may be secrets


def test_scripted_a_changed_schema_quarantines_exactly_what_used_it(make: Make, shop: Shop) -> None:
    agent = make(mcp={"shop": shop()})
    found, paid = agent.ask("Where is 4711?"), agent.ask("please pay 7 back")
    for answer in (found, paid):
        agent.feedback(answer, good=True)
    agent.close()

    def trust(*args: str) -> dict[str, bool]:
        later = make(mcp={"shop": shop(*args)})
        held = {
            case.episode: later.store.trust(case) == "quarantined"
            for case in later.store.episodes.values()
        }
        later.close()
        return held

    assert trust() == {found.id: False, paid.id: False}
    assert trust("strict") == {found.id: True, paid.id: False}
    assert trust() == {found.id: False, paid.id: False}  # the old schema is back


def test_a_server_that_dies_in_a_call_or_between_two_is_begun_again(shop: Shop) -> None:
    tools = {tool.spec.name: tool for tool in mcp_tools(shop=shop(timeout=2.0))}
    find = tools["find_order"]
    assert find.idempotent and not tools["refund"].idempotent
    assert find.spec.required == ("order",) and find.spec.description == "Say where an order is."
    for deadly, said in ((13, "Connection closed"), (14, "did not answer")):
        with pytest.raises(EnvironmentFault, match=said):
            find.call({"order": deadly})
        assert find.call({"order": 2}) == "order 2 is in Oslo, says nobody"
    with pytest.raises(UsageError, match="orders begin at 1"):
        find.call({"order": 0})
    assert find.call({"order": 15}).startswith("order 15")
    time.sleep(0.5)  # it is gone now, and nobody was told
    assert find.call({"order": 2}).startswith("order 2")


def test_scripted_a_person_is_asked_of_the_tools_that_the_settings_name(
    make: Make, shop: Shop
) -> None:
    agent = make(mcp={"shop": shop(approve=("refund",), tools=("refund",))})
    answer = agent.ask("please pay 7 back")
    assert answer.waiting is not None and answer.waiting.tool == "refund"
    assert agent.approve(answer).text == "I found: paid 7"


def test_what_is_wrong_with_a_server_is_one_sentence(
    make: Make, shop: Shop, tmp_path: Path
) -> None:
    for wrong in ({}, {"command": "x", "url": "http://localhost"}, {"command": "x", "arg": 1}):
        with pytest.raises(BadFile, match="a command or a url|Extra inputs"):
            mcp_tools(shop=wrong)
    nowhere: list[dict[str, Any]] = [
        {"command": "no-such-program-is-here"},
        {"command": "false"},
        {"url": "http://127.0.0.1:9/mcp"},
    ]
    for server in nowhere:
        with pytest.raises(EnvironmentFault, match="MCP server 'shop' did not answer"):
            make(mcp={"shop": server})
    with pytest.raises(UsageError, match="no tool 'pay'; it has: find-order, refund"):
        make(mcp={"shop": shop(approve=("pay",))})
    with pytest.raises(UsageError, match="two MCP servers have a tool"):
        make(mcp={"one": shop(), "two": shop()})


def test_servers_are_settings_whose_secrets_stay_out_of_the_ledger(tmp_path: Path) -> None:
    file = tmp_path / "lichen.toml"
    file.write_text(
        '[mcp.shop]\nurl = "https://me:pw@shop.example/mcp?key=1"\nheaders = { X-Key = "secret" }\n'
        '[mcp.own]\ncommand = "own"\nargs = ["--token", "secret"]\n'
    )
    config = load_config(file)
    assert config.mcp["shop"].headers == {"X-Key": "secret"}
    written = config.model_dump_json()
    assert "secret" not in written and "pw" not in written and "shop.example" in written
    with pytest.raises(BadFile, match="a command or a url"):
        load_config(None, mcp={"shop": {}})
