"""Whatever a stranger sends: no page breaks, and what is refused is refused in one sentence on a page."""

import re
import subprocess
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import quote

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from starlette.routing import Route
from starlette.testclient import TestClient

from lichen.agent.config import load_config
from lichen.agent.doors.inspector import inspector_app
from lichen.agent.doors.inspector.seen.inspected import Inspected, changing
from lichen.memory.likeness.embedder import HashingEmbedder
from lichen.memory.store.store import Store

Pages = tuple[TestClient, str, list[str]]
QUERIES = {
    "/episodes": "q env family outcome source namespace run before",
    "/episodes/compare": "a b",
    "/episodes/EPISODE": "until",
    "/memory": "q grain episode before as_of env family source trust namespace hand",
    "/memory/EPISODE": "as_of",
    "/skills": "shelf q env view page",
    "/skills/take": "shelf old new",
    "/skills/-/history": "page",
    "/tools": "q env failing page",
    "/tools/find_order": "env now",
    "/sign-in": "key",
}
FIELDS = {
    "/episodes/EPISODE/verdict": "said correct note",
    "/episodes/EPISODE/approval": "said note",
    "/memory/EPISODE/edit": "goal seen-goal reason other",
    "/memory/STEP/edit": "action answer error",
    "/memory/EPISODE/pin": "on",
    "/memory/EPISODE/quarantine": "on reason",
    "/skills/-/new": "name env",
    "/skills/take/edit": "base code capabilities parameter-0-name parameter-0-min test-0-seed",
    "/skills/take/rollback": "to",
    "/skills/nothing/retire": "reason",
    "/skills/take/try": "task seed setup argument-thing",
}
ODD = ["", "0", "-1", "9" * 30, "1e9", "nan", "\0", "a\0b", "../../etc/passwd", "..", "\u202e", "٣"]
ODD += [
    "x" * 5_000,
    "take@0",
    "take@",
    "@",
    "*",
    "[",
    "--help",
    "HEAD~1",
    ".git",
    "<b>",
    "\r\nX: y",
]
RAW = ["%ED%A0%80", "%FF", "%00", "%2e%2e%2f%2e%2e", "%", "%25", "+"]
# as they stand in an address: a lone surrogate, what is no UTF-8


@pytest.fixture
def pages(furnished: Path) -> Iterator[Pages]:
    """A client that may edit, what its forms carry, and ids of everything."""
    config = load_config(None, store=furnished)
    with Store(furnished, embedder=HashingEmbedder()) as store:
        inspected = Inspected(config, HashingEmbedder(), changing(store))
        app = inspector_app.inspector_app(inspected)
        client = TestClient(app, base_url="http://localhost", raise_server_exceptions=False)
        home = client.get(f"/sign-in?key={app.state.sessions.one_time()}").text
        csrf = re.search(r'data-csrf="([^"]+)"', home)
        assert csrf is not None
        ids = [next(iter(store.episodes.values())).episode, next(iter(store.steps))]
        yield client, csrf[1], ids
        for job in app.state.skill_bench.jobs.latest():
            assert not re.match(r"\w+(Error|Exception): ", job.error), job.error
        inspected.close()


def _told(client: TestClient, method: str, path: str, **sent: object) -> int:
    """Ask, and see that whatever went wrong is said on a page."""
    answer = client.request(method, path, follow_redirects=False, **sent)  # type: ignore[arg-type]
    assert answer.status_code < 500, (method, path, sent)
    if answer.status_code >= 400 and method != "HEAD":
        assert "<title>" in answer.text, (method, path, answer.text[:200])
        assert 'role="alert"' in answer.text, (method, path)
    return answer.status_code


def _named(path: str, ids: list[str]) -> str:
    return path.replace("EPISODE", ids[0]).replace("STEP", ids[1])


def _routes() -> list[tuple[str, str]]:
    return [
        (method, route.path)
        for pages in inspector_app._PAGES
        for route in pages.router.routes
        if isinstance(route, Route)
        for method in sorted(route.methods or ())
    ]


def test_every_route_takes_any_name_any_method_and_any_body(pages: Pages) -> None:
    client, csrf, ids = pages
    routes = _routes()
    assert len(routes) > 40
    for method, path in routes:
        names = [*ids, "take@99", "find_order", "-", *map(quote, ODD[7:9]), *RAW[:4]]
        for name in names if "{" in path else [""]:
            _told(client, method, re.sub(r"\{[^}]*\}", name, path), data={"csrf": "of another"})
        at = re.sub(r"\{[^}]*\}", "nothing", path)
        assert _told(client, "DELETE", at) == 405
        if method == "POST":
            _told(client, method, at, json={"csrf": csrf})
            _told(client, method, at, files={"csrf": ("a.txt", b"b")})
            for kind in ("application/x-www-form-urlencoded", "multipart/form-data; boundary=x"):
                _told(client, method, at, content=b"--x\r\n\xff\0", headers={"content-type": kind})
    for path in ("/memory/nothing/edit", "/skills/nothing/edit"):
        _told(client, "POST", path, data={"csrf": csrf, "goal": "y" * 2_000_000})


def test_no_value_of_a_query_breaks_a_page(pages: Pages) -> None:
    client, _, ids = pages
    for path, names in QUERIES.items():
        for said in [*map(quote, (*ODD, *ids, "take")), *RAW]:
            numbers = [name for name in names.split() if name in ("before", "as_of", "page")]
            texts = [name for name in names.split() if name not in numbers]
            for asked in (f"={said}&".join(texts), *numbers):
                _told(client, "GET", f"{_named(path, ids)}?{asked}={said}")
    assert client.get("/episodes?before=").status_code == 200  # a field that was left empty
    assert client.get("/memory?as_of=99999999999999999999").status_code == 422
    while (then := client.get("/memory?grain=steps&q=book&as_of=100")).status_code == 202:
        continue  # it is being folded
    now = re.search(r'href="([^"]*)">Now</a>', then.text)
    assert now is not None and "grain=steps" in now[1] and "q=book" in now[1]  # filters stay


@pytest.mark.parametrize("head", [b"---\nname: [\n---\n", b"\xff\xfe", b"", None])
def test_a_skill_that_cannot_be_read_breaks_no_page(pages: Pages, head: bytes | None) -> None:
    client, _, _ = pages
    library = client.app.state.inspected.library  # type: ignore[attr-defined]
    file = library / "skills" / "take" / "SKILL.md"
    if head is None:
        file.unlink()
    else:
        file.write_bytes(head)
    person = ["-c", "user.name=ann", "-c", "user.email=ann@example.org"]
    for committed in (False, True):
        if committed:
            subprocess.run(["git", "-C", library, *person, "commit", "-qam", "by hand"], check=True)
        for path in ("/", "/skills", "/skills?view=graph", "/skills?q=take", "/skills/-/history"):
            assert _told(client, "GET", path) == 200
        for path in ("/skills/take", "/skills/take@1", "/skills/fetch", "/skills/fetch/edit"):
            assert _told(client, "GET", path) == 200
        for path in ("/skills/take/edit", "/skills/take/try"):
            assert _told(client, "GET", path) == (409 if committed else 200)


@settings(
    max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(data=st.data())
def test_no_value_of_a_form_breaks_a_page(pages: Pages, data: st.DataObject) -> None:
    client, csrf, ids = pages
    path = data.draw(st.sampled_from(sorted(FIELDS)))
    value = st.one_of(st.sampled_from([*ODD, *ids]), st.text(max_size=30).filter(_writable))
    form = {name: data.draw(value) for name in FIELDS[path].split()}
    _told(client, "POST", _named(path, ids), data={"csrf": csrf, **form})


def _writable(text: str) -> bool:
    return not any("\ud800" <= letter <= "\udfff" for letter in text)
