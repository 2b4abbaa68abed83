"""`lichen serve` as a process: what it acknowledged is there after SIGTERM and after kill -9 (scripted)."""

import signal
import threading
import time
from pathlib import Path
from typing import Any

import httpx2
import pytest

from lichen.memory.ledger.feedback_event import Feedback
from lichen.memory.store.store import Store

Server = Any
Spawn = Any


def ask(url: str, text: str) -> str:
    body = {"model": "lichen", "messages": [{"role": "user", "content": text}]}
    answer = httpx2.post(f"{url}/v1/chat/completions", json=body, timeout=60)
    answer.raise_for_status()
    return str(answer.json()["id"])


@pytest.mark.parametrize("end", [signal.SIGTERM, signal.SIGKILL])
def test_scripted_no_acknowledged_feedback_is_lost(
    spawn: Spawn, tmp_path: Path, end: signal.Signals
) -> None:
    process, url = spawn()
    answers = [ask(url, f"hello {n}") for n in range(4)]
    taken: list[tuple[str, str]] = []

    def tell(answer: str) -> None:
        for n in range(1000):
            note = f"note {n}"
            said = {"id": answer, "score": (n % 10) / 10, "note": note}
            try:
                if httpx2.post(f"{url}/v1/feedback", json=said, timeout=30).is_success:
                    taken.append((answer, note))
            except httpx2.TransportError:
                return

    threads = [threading.Thread(target=tell, args=(answer,)) for answer in answers]
    for thread in threads:
        thread.start()
    while len(taken) < 20:
        time.sleep(0.01)
    process.send_signal(end)
    for thread in threads:
        thread.join(timeout=60)
    assert process.wait(timeout=60) == (0 if end is signal.SIGTERM else -9)
    with Store(tmp_path / "desk", read_only=True) as store:
        kept = {
            (row.episode, row.event.note)
            for row in store.ledger.read()
            if isinstance(row.event, Feedback)
        }
    assert len(taken) >= 20 and set(taken) <= kept


def test_scripted_a_request_that_runs_is_finished_after_sigterm(
    spawn: Spawn, model: Server
) -> None:
    process, url = spawn()
    ask(url, "hello")  # the model is known
    begun, go_on = threading.Event(), threading.Event()
    answered: list[str] = []

    def slowly(body: dict[str, Any]) -> Any:
        begun.set()
        go_on.wait(30)
        return model.said("Late, and whole.")

    model.answers(slowly)
    waits = threading.Thread(target=lambda: answered.append(ask(url, "hello again")))
    waits.start()
    assert begun.wait(30)
    process.send_signal(signal.SIGTERM)
    time.sleep(0.3)
    go_on.set()
    waits.join(timeout=60)
    assert answered and process.wait(timeout=60) == 0


def test_keys_are_made_listed_and_taken_away(tmp_path: Path, spawn: Spawn) -> None:
    from typer.testing import CliRunner

    from lichen.agent.cli.main import app

    def run(*words: str) -> str:
        done = CliRunner().invoke(app, ["serve", "keys", *words, "--store", str(tmp_path / "desk")])
        assert done.exit_code == 0, done.output
        return done.output

    secret = run("add", "ann", "--scope", "read", "--namespace", "acme").strip()
    assert "acme" in run("ls") and secret not in run("ls")
    _, url = spawn()
    head = {"Authorization": f"Bearer {secret}"}
    assert httpx2.get(f"{url}/v1/episodes", headers=head).status_code == 200
    run("rm", "ann")
    assert httpx2.get(f"{url}/v1/episodes", headers=head).status_code == 401
