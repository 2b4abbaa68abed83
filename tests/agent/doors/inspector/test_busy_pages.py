"""Pages that are read while an agent writes, a person edits and forgets, and the server is told to end."""

import asyncio
import re
import signal
import subprocess
import sys
import threading
from concurrent.futures import ThreadPoolExecutor
from itertools import islice
from pathlib import Path

import httpx2
import pytest

from lichen.agent import Agent, ScriptedLLM, asgi_app
from lichen.agent.doors.inspector.chromium import served
from lichen.agent.doors.inspector.inspector_app import inspected_of, inspector_app
from lichen.envs import Tool
from lichen.memory.forgetting.forget import forget
from lichen.memory.store.store import Store

READERS = 8
PATHS: tuple[str, ...] = (
    "",
    "episodes",
    "episodes?q=order",
    "memory",
    "memory?q=parcel",
    "memory?grain=steps",
)
PATHS += ("tools", "tools/find_order", "skills", "skills/take", "memory?as_of=200")


def find_order(order: int) -> str:
    "Say where an order is."
    return f"order {order} is in Oslo"


def refund(order: int) -> str:
    "Pay an order back."
    return "paid"


def _waiting(folder: Path) -> str:
    with Store(folder, read_only=True) as store:
        return next(row.episode for row in store.ledger.read(types=("approval_asked",)))


@pytest.mark.parametrize("words", [["inspect", "--no-browser"], ["serve", "--port", "0"]])
def test_an_open_stream_does_not_hold_up_the_end(furnished: Path, words: list[str]) -> None:
    serves = words[0] == "serve"
    words = [*words, "--store", str(furnished), *["--drain", "3600"] * serves]
    process = subprocess.Popen(
        [sys.executable, "-m", "lichen.agent", *words], stdout=subprocess.PIPE, text=True
    )
    try:
        assert process.stdout is not None
        link = next(line for line in process.stdout if line.startswith("Inspector: ")).split()[1]
        with httpx2.Client(follow_redirects=True, timeout=60) as client:
            assert client.get(link).status_code == 200
            at = f"{link.partition('/sign-in')[0]}/episodes/{_waiting(furnished)}/stream"
            with client.stream("GET", at) as stream:
                said = stream.iter_lines()
                assert next(line for line in said if line.startswith("event:")) == "event: changed"
                process.send_signal(signal.SIGTERM)
                assert "event: ended" not in list(said)  # it goes on: the page asks again
        assert process.wait(60) in (0, 143, -signal.SIGTERM)
    finally:
        process.kill()
        process.wait()


def test_the_stream_of_an_episode_that_is_forgotten_ends_cleanly(furnished: Path) -> None:
    tools = [Tool(find_order), Tool(refund, needs_approval=True)]
    with Agent.from_config(store=furnished, llm=ScriptedLLM([]), tools=tools) as agent:
        inspected = inspected_of(agent)
        with served(inspector_app(inspected)) as address, httpx2.Client(timeout=60) as client:
            at = f"{address}/episodes/{_waiting(furnished)}/stream"
            with client.stream("GET", at) as stream:
                said = stream.iter_lines()
                assert next(line for line in said if line.startswith("event:")) == "event: changed"
                one = _waiting(furnished)
                asyncio.run(inspected.change(lambda store: forget(store, one, cascade=True)))
                assert "event: ended" in list(said)
            assert client.get(at).status_code == 404  # of that episode: nothing is left to stream
        inspected.close()


def test_pages_are_whole_while_an_agent_writes_and_a_person_edits_scripted(furnished: Path) -> None:
    script = [
        said
        for number in range(12)
        for said in (
            f'{{"tool": "find_order", "arguments": {{"order": {4000 + number}}}}}',
            "It is in Oslo.",
        )
    ]
    over = threading.Event()
    read: list[tuple[str, int]] = []
    tools = [Tool(find_order), Tool(refund, needs_approval=True)]
    with Agent.from_config(store=furnished, llm=ScriptedLLM(script), tools=tools) as agent:
        inspected = inspected_of(agent)
        pages = inspector_app(inspected)
        app = asgi_app(agent, beside={"/inspect": pages})
        app.user_middleware.clear()  # the gate's rate is not what is looked at
        with served(app) as address, ThreadPoolExecutor(READERS + 2) as pool:
            root = f"{address}/inspect"

            def reads(number: int) -> None:
                with httpx2.Client(timeout=60) as client:
                    while not over.is_set():
                        path = PATHS[(number + len(read)) % len(PATHS)]
                        answer = client.get(f"{root}/{path}")
                        read.append((path, answer.status_code))
                        assert answer.status_code in (200, 202), answer.text
                        assert answer.text.rstrip().endswith("</html>"), path

            def asks() -> None:
                for number in range(12):
                    found = agent.ask(f"Where is order {4000 + number}?", user="acme/ann")
                    agent.feedback(found, good=True)

            def edits() -> None:
                with httpx2.Client(timeout=60, follow_redirects=True) as client:
                    home = client.get(f"{root}/sign-in?key={pages.state.sessions.one_time()}").text
                    found = re.search(r'data-csrf="([^"]+)"', home)
                    assert found is not None
                    cases = list(islice(inspected.seen().episodes.values(), 6))
                    for case in cases:
                        goal = {"goal": f"{case.goal} again", "seen-goal": case.goal}
                        for act, form in (("edit", goal), ("pin", {"on": "yes"}), ("forget", {})):
                            sent = {"csrf": found[1], **form}
                            done = client.post(f"{root}/memory/{case.id}/{act}", data=sent)
                            assert done.status_code == 200, (act, done.text)

            readers = [pool.submit(reads, number) for number in range(READERS)]
            try:
                for work in (pool.submit(asks), pool.submit(edits)):
                    work.result(120)
            finally:
                over.set()
            for reader in readers:
                reader.result(120)
        inspected.close()
    assert len(read) > READERS
    with Store(furnished, read_only=True) as store:
        assert (
            sum(case.goal.startswith("Where is order 40") for case in store.episodes.values()) == 12
        )
