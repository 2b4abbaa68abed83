"""`lichen bench retrieval`: how long a full read takes in stores of several sizes, beside other memories.

The goals are generated (`household`), all distinct. The first 20,000 are embedded for real with the packaged
MiniLM (100 to 350 a second on two cores); a vector of each further one lies between two of these. Every side
gets these vectors, the same new query texts, which are all embedded for real, and k = 4. `included`: the
query is embedded inside the read; `excluded`: its vector is known to the side (to Lichen in the cache of its
store). Lichen's store is filled through ledger, fold, projection and both indexes, closed, and opened again
before it is read. One query goes through all sides before the next, in a drawn order.
"""

import tempfile
import time
from collections import defaultdict
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from ....envs.types import Record
from ....memory.ledger.records import EpisodeCase, StepCase
from ....memory.likeness.embedder import Embedder, PackagedEmbedder, Vectors
from ....memory.recall.case_memory import PROPOSALS, CaseMemory
from ....memory.store.store import Store
from ..bench import household_goals as household
from ..kernel.timings import percentiles
from .goal_vectors import KnownVectors, combined
from .machine import machine, version
from .rival_memories import ExactSearch, LangGraphStore, RawChroma

BUDGET_MS = 50.0
FACTOR = 1.3
WRITES = 200.0
K = 4
SLOW = 50
"""Queries that a side of slow reads gets: those that compare with every vector in Python."""
WARM = 5
_BATCH = 500

OURS = "Lichen, whole episodes"
WRITTEN = "Lichen, episodes (ledger, cases, indexes)"
RAW = "raw Chroma, ids and distances"
DOCUMENTED = "raw Chroma, as documented"


class ReadRow(Record):
    """One kind of read of one side, at one size; or one figure of a store."""

    cases: int
    """Whole cases in the store; there are as many step cases beside them."""
    what: str
    n: int | None = None
    p50_ms: float | None = None
    p95_ms: float | None = None
    recall: float | None = None
    """Share of the K answers that are as near as the K nearest by exact search."""
    value: float | None = None


class Side(NamedTuple):
    """One way to read: text in, ids (texts of goals) out."""

    what: str
    read: Callable[[str], Sequence[str]]
    most: int
    text: bool = True
    """Whether it is asked by a text and answers with K goals, which compare with exact search."""
    first: int | None = None
    """It sees so many of the oldest cases only; such a read is not measured with the embedding."""


def bench_retrieval(
    *,
    sizes: Sequence[int] = (1000, 10_000, 100_000),
    queries: int = 200,
    embedded: int = 20_000,
    seed: int = 0,
    embedder: Embedder | None = None,
    say: Callable[[str], None] = print,
) -> dict[str, Any]:
    """Measure and return the table.

    Args:
        sizes: Whole cases in the stores, growing.
        queries: Reads of each fast side at each size; slow sides get at most `SLOW`.
        embedded: Goals that are embedded for real; the vectors of the others are combined from theirs.
        seed: Of the cases and the queries.
        embedder: The packaged MiniLM when None.
        say: Told what is going on.

    Returns:
        `{"bench", "version", "machine", "rows", "ratio", "holds"}`; at the largest size `ratio` is the p95 of
        Lichen's read over that of raw Chroma asked for ids and distances only, the embedding excluded, and
        `holds` says whether the ratio is at most 1.3 with and without the embedding, every p95 of Lichen's at
        most 50 ms, and at every size at least 200 episodes a second were written.
    """
    known = KnownVectors(embedder or PackagedEmbedder())
    rng = np.random.default_rng(seed)
    fresh = household.goals(rng, set())
    texts: list[str] = []
    rows: list[ReadRow] = []
    d = len(known.one(""))
    matrix = np.zeros((0, d), np.float32)
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        chroma = RawChroma(folder / "chroma", known.one)
        graph = LangGraphStore(d, known.one)
        exact = ExactSearch(known.one)
        for size in sorted(sizes):
            new = [next(fresh) for _ in range(size - len(texts))]
            clock = _Clock(size, rows)
            real = max(0, min(len(new), embedded - len(texts)))
            say(f"{size} cases: embedding {real} goals")
            if real:
                with clock.rate("embedding, texts", real):
                    matrix = np.concatenate([matrix, known.learn(new[:real])])
            more = combined(rng, matrix[:embedded], len(new) - real)
            matrix = np.concatenate([matrix, known.give(new[real:], more)])
            say(f"{size} cases: filling the stores")
            _fill(folder / "lichen", known, rng, new, len(texts), clock)
            with clock.rate("raw Chroma, texts", len(new)):
                chroma.fill(new, matrix[len(texts) :])
            with clock.rate("LangGraph InMemoryStore, texts", len(new)):
                graph.fill(new, matrix[len(texts) :])
            exact.fill(new, matrix[len(texts) :])
            texts += new
            rows += _sizes(folder, size)
            clock.restart()
            with Store(folder / "lichen", embedder=known) as store:
                clock.note("Lichen, store opened, s")
                _ = store.index(StepCase), store.index(EpisodeCase)
                clock.note("Lichen, indexes compared, s")
                asked = [next(fresh) for _ in range(queries + WARM)]
                say(f"{size} cases: {queries} queries")
                sides = _sides(CaseMemory(store), chroma, graph, exact, rng, queries)
                rows += _measure(size, sides, asked, known, texts, matrix, rng)
        chroma.close()
    return _table(rows, max(sizes))


class _Clock:
    """Writes down what one size took."""

    def __init__(self, size: int, rows: list[ReadRow]) -> None:
        self._size, self._rows = size, rows
        self._since = time.perf_counter()

    @contextmanager
    def rate(self, what: str, count: int) -> Iterator[None]:
        """Note how many of `count` were done in a second inside."""
        start = time.perf_counter()
        yield
        self._add(f"{what}/s", count / (time.perf_counter() - start))

    def note(self, what: str) -> None:
        """Note the seconds since the last note."""
        now = time.perf_counter()
        self._add(what, now - self._since)
        self._since = now

    def restart(self) -> None:
        """Begin to count anew for the next note."""
        self._since = time.perf_counter()

    def _add(self, what: str, value: float) -> None:
        self._rows.append(ReadRow(cases=self._size, what=what, value=round(value, 2)))


def _fill(
    folder: Path,
    known: KnownVectors,
    rng: np.random.Generator,
    goals: Sequence[str],
    first: int,
    clock: _Clock,
) -> None:
    made = [household.episode(rng, first + i, goal) for i, goal in enumerate(goals)]
    with Store(folder, embedder=known) as store:
        _ = store.index(StepCase), store.index(EpisodeCase)  # open, so that writes go into them
        with clock.rate(WRITTEN, len(made)):
            for start in range(0, len(made), _BATCH):
                part = made[start : start + _BATCH]
                store.append([entry for entries in part for entry in entries])
                store.absorb()


def _sides(
    memory: CaseMemory,
    chroma: RawChroma,
    graph: LangGraphStore,
    exact: ExactSearch,
    rng: np.random.Generator,
    queries: int,
) -> list[Side]:
    env, slow = household.ENV, min(queries, SLOW)
    wide = PROPOSALS

    def step(text: str) -> list[str]:
        state = states[text] if text in states else states.setdefault(text, draw(text))
        return [hit.case.id for hit in memory.read(state, env=env).hits]

    def draw(text: str) -> Any:
        return household.state(rng, text)

    states: dict[str, Any] = {}

    def ours(what: str, memory: CaseMemory) -> Side:
        def read(text: str) -> list[str]:
            return [case.goal for case, _ in memory.episodes(text, env=env, k=K)]

        return Side(what, read, queries, first=memory.first)

    frozen = [memory.size // 2, max(50, memory.size // 100)]
    return [
        ours(OURS, memory),
        Side(RAW, lambda t: chroma.bare(t, K), queries),
        Side(DOCUMENTED, lambda t: chroma.read(t, K), queries),
        Side("LangGraph InMemoryStore", lambda t: graph.read(t, K), slow),
        Side("LangMem search tool on it", lambda t: graph.langmem(t, K), slow),
        Side("exact search, numpy", lambda t: exact.read(t, K), queries),
        *(ours(f"{OURS} as of {n}", CaseMemory(memory.store, first=n)) for n in frozen),
        Side(f"Lichen, steps (of {wide} proposed)", step, queries, text=False),
        Side(
            f"raw Chroma, k={wide}, ids and distances",
            lambda t: chroma.bare(t, wide),
            queries,
            text=False,
        ),
    ]


def _measure(
    size: int,
    sides: Sequence[Side],
    asked: Sequence[str],
    known: KnownVectors,
    texts: Sequence[str],
    matrix: Vectors,
    rng: np.random.Generator,
) -> list[ReadRow]:
    took: defaultdict[tuple[str, str], list[float]] = defaultdict(list)
    right: defaultdict[str, list[float]] = defaultdict(list)
    places = {text: i for i, text in enumerate(texts)}
    for number, text in enumerate(asked):
        turned = [sides[int(i)] for i in rng.permutation(len(sides))]
        # embedded inside every read first; then the vector is known to all
        for mode in ("included", "excluded"):
            if mode == "excluded":
                known.learn([text])
            cosines = matrix @ known.known[text] if mode == "excluded" else None
            for side in turned:
                plain = side.text and side.first is None
                if number >= side.most + WARM or (mode == "included" and not plain):
                    continue
                start = time.perf_counter()
                found = side.read(text)
                spent = time.perf_counter() - start
                if number >= WARM:
                    took[side.what, mode].append(spent)
                if cosines is not None and side.text:
                    right[side.what].append(
                        _recall(cosines[: side.first], [places[t] for t in found])
                    )
    rows = []
    for side in sides:
        for mode in ("included", "excluded"):
            if (spent_ms := np.asarray(took[side.what, mode]) * 1000).size:
                p50, p95 = percentiles(spent_ms, digits=3)
                rows.append(
                    ReadRow(
                        cases=size,
                        what=f"{side.what}, embedding {mode}" if side.text else side.what,
                        n=len(spent_ms),
                        p50_ms=p50,
                        p95_ms=p95,
                        recall=round(float(np.mean(right[side.what])), 4) if side.text else None,
                    )
                )
    return rows


def _recall(cosines: NDArray[np.float32], found: Sequence[int]) -> float:
    """Return the share of the K nearest that was found; what is as near as the last of them counts."""
    k = min(K, len(cosines))
    least = np.partition(cosines, -k)[-k] - 1e-5
    return float(np.sum(cosines[list(found)] >= least)) / k


def _sizes(folder: Path, size: int) -> list[ReadRow]:
    found = []
    for what, name in (
        ("Lichen, bytes per episode (3 events, 2 cases, 2 vectors)", "lichen"),
        ("raw Chroma, bytes per text (1 vector)", "chroma"),
    ):
        held = sum(f.stat().st_size for f in (folder / name).rglob("*") if f.is_file())
        found.append(ReadRow(cases=size, what=what, value=round(held / size)))
    return found


def _table(rows: list[ReadRow], size: int) -> dict[str, Any]:
    p95 = {row.what: row.p95_ms for row in rows if row.cases == size and row.p95_ms is not None}
    ratios: dict[tuple[str, str], float] = {}
    for raw in (RAW, DOCUMENTED):
        for mode in ("excluded", "included"):
            ours, theirs = (p95[f"{what}, embedding {mode}"] for what in (OURS, raw))
            ratios[raw, mode] = ours / theirs
            what = f"p95 of Lichen over that of {raw}, embedding {mode}"
            rows.append(ReadRow(cases=size, what=what, value=round(ours / theirs, 2)))
    written = min(row.value or 0 for row in rows if row.what.startswith(WRITTEN))
    slowest = max(value for what, value in p95.items() if what.startswith("Lichen"))
    strict = max(ratios[RAW, "excluded"], ratios[RAW, "included"])
    return {
        "bench": "retrieval",
        "version": version(),
        "machine": machine(),
        "rows": [row.model_dump(exclude_none=True) for row in rows],
        "ratio": ratios[RAW, "excluded"],
        "holds": strict <= FACTOR and slowest <= BUDGET_MS and written >= WRITES,
    }
