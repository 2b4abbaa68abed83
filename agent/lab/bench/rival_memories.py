"""The other sides of `lichen bench retrieval`: raw Chroma, LangGraph's InMemoryStore, LangMem on it, numpy.

Each gets the texts, vectors and queries that Lichen gets and is asked in its own plainest way. mem0 is not
here: from 1.0 on it needs protobuf below 6, and the packages that Lichen is pinned to need a newer one.
"""

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from langchain_core.embeddings import Embeddings
from numpy.typing import NDArray

from ....memory.likeness.embedder import Vectors

Embed = Callable[[str], NDArray[np.float32]]
_SPACE = ("bench",)
_BATCH = 1000


class RawChroma:
    """A persistent Chroma collection with documents and metadata, as a user of Chroma would fill it."""

    def __init__(self, folder: Path, embed: Embed) -> None:
        import chromadb
        from chromadb.config import Settings

        self._embed = embed
        settings = Settings(anonymized_telemetry=False)
        self._client: Any = chromadb.PersistentClient(str(folder), settings=settings)
        self._rows: Any = self._client.get_or_create_collection(
            "bench", embedding_function=None, configuration={"hnsw": {"space": "cosine"}}
        )

    def fill(self, texts: Sequence[str], vectors: Vectors) -> None:
        """Add texts; each is its own id."""
        for start in range(0, len(texts), _BATCH):
            part = slice(start, start + _BATCH)
            self._rows.add(
                ids=list(texts[part]),
                documents=list(texts[part]),
                embeddings=vectors[part],
                metadatas=[{"number": start + i} for i in range(len(texts[part]))],
            )

    def read(self, text: str, n: int) -> list[str]:
        """Return the n nearest, asked as its documentation does: documents, metadata and distances."""
        answer = self._rows.query(query_embeddings=[self._embed(text)], n_results=n)
        return list(answer["ids"][0])

    def bare(self, text: str, n: int) -> list[str]:
        """Return the n nearest, asked for ids and distances only: the least that it can do."""
        answer = self._rows.query(
            query_embeddings=[self._embed(text)], n_results=n, include=["distances"]
        )
        return list(answer["ids"][0])

    def close(self) -> None:
        """Free the files."""
        self._client.close()


class _Vectors(Embeddings):
    """LangChain's interface over vectors that are there; arrays, which are faster for it than lists."""

    def __init__(self, embed: Embed) -> None:
        self.embed = embed
        self.ready: dict[str, NDArray[np.float32]] = {}

    def embed_documents(self, texts: list[str]) -> Any:
        """Return the vectors of texts that are about to be put."""
        return [self.ready[text] for text in texts]

    def embed_query(self, text: str) -> Any:
        """Return the vector of a query."""
        return self.embed(text)


class LangGraphStore:
    """LangGraph's InMemoryStore with semantic search, and LangMem's search tool over the same store."""

    def __init__(self, d: int, embed: Embed) -> None:
        from langgraph.store.memory import InMemoryStore

        self._vectors = _Vectors(embed)
        self._store = InMemoryStore(
            index={"dims": d, "embed": self._vectors, "fields": ["content"]}
        )
        self._tool: Any = None

    def fill(self, texts: Sequence[str], vectors: Vectors) -> None:
        """Put texts in batches; each is its own key."""
        from langgraph.store.base import PutOp

        for start in range(0, len(texts), _BATCH):
            part = texts[start : start + _BATCH]
            self._vectors.ready = dict(zip(part, vectors[start : start + _BATCH], strict=True))
            self._store.batch([PutOp(_SPACE, text, {"content": text}) for text in part])

    def read(self, text: str, n: int) -> list[str]:
        """Return the n nearest by `store.search`."""
        return [item.key for item in self._store.search(_SPACE, query=text, limit=n)]

    def langmem(self, text: str, n: int) -> list[str]:
        """Return the n nearest by LangMem's search tool, which answers in JSON."""
        import json

        if self._tool is None:
            from langmem import create_search_memory_tool

            self._tool = create_search_memory_tool(_SPACE, store=self._store)
        answer = self._tool.invoke({"query": text, "limit": n})
        return [item["key"] for item in json.loads(answer)]


class ExactSearch:
    """One product of a matrix and a vector: no index, nothing but what lies in memory."""

    def __init__(self, embed: Embed) -> None:
        self._embed = embed
        self._texts: list[str] = []
        self._parts: list[Vectors] = []

    def fill(self, texts: Sequence[str], vectors: Vectors) -> None:
        """Add texts; each is its own id."""
        self._texts += texts
        self._parts = [np.concatenate([*self._parts, vectors])]

    def read(self, text: str, n: int) -> list[str]:
        """Return the n nearest, in any order; there must be more than n texts."""
        cosines = self._parts[0] @ self._embed(text)
        return [self._texts[i] for i in np.argpartition(-cosines, n)[:n]]
