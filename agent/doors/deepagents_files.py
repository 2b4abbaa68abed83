"""deepagents: files of a `LichenStore`, the skills by default; what it refuses is an answer to the model.

    skills = LichenBackend(store)
    create_deep_agent(..., skills=["/skills/"],
                      backend=CompositeBackend(default=StateBackend(), routes={"/skills/": skills}))

deepagents' own `StoreBackend` reads the same files, but lets what a store raises end the whole run.
"""

from typing import Any

from ...envs.errors import LichenError, UsageError
from .langgraph_store import LichenStore
from .skill_files import SKILLS

try:
    from deepagents.backends import StoreBackend
    from deepagents.backends.protocol import (
        DeleteResult,
        EditResult,
        FileUploadResponse,
        WriteResult,
    )
    from deepagents.backends.store import NamespaceFactory
except ImportError as missing:
    raise UsageError(
        "the door to deepagents needs its package, which is not installed",
        hint="pip install deepagents",
    ) from missing


def _skills(_: Any) -> tuple[str, ...]:
    return SKILLS


class LichenBackend(StoreBackend):
    """Files for a deep agent; a write that the store refuses is an error result, as deepagents expects.

    Args:
        store: Opened; its owner closes it.
        namespace: Told LangGraph's runtime; says in which namespace the files are. The skills when None.
    """

    def __init__(self, store: LichenStore, namespace: NamespaceFactory | None = None) -> None:
        super().__init__(store=store, namespace=namespace or _skills)

    def write(self, file_path: str, content: str) -> WriteResult:
        """Write a file; see `BackendProtocol.write`."""
        try:
            return super().write(file_path, content)
        except LichenError as error:
            return WriteResult(error=_said(error))

    async def awrite(self, file_path: str, content: str) -> WriteResult:
        """Write a file beside the event loop."""
        try:
            return await super().awrite(file_path, content)
        except LichenError as error:
            return WriteResult(error=_said(error))

    def edit(
        self, file_path: str, old_string: str, new_string: str, replace_all: bool = False
    ) -> EditResult:
        """Replace a text in a file; see `BackendProtocol.edit`."""
        try:
            return super().edit(file_path, old_string, new_string, replace_all)
        except LichenError as error:
            return EditResult(error=_said(error))

    async def aedit(
        self, file_path: str, old_string: str, new_string: str, replace_all: bool = False
    ) -> EditResult:
        """Replace a text in a file beside the event loop."""
        try:
            return await super().aedit(file_path, old_string, new_string, replace_all)
        except LichenError as error:
            return EditResult(error=_said(error))

    def delete(self, file_path: str) -> DeleteResult:
        """Delete a file, or a folder with all in it; see `BackendProtocol.delete`."""
        try:
            return super().delete(file_path)
        except LichenError as error:
            return DeleteResult(error=_said(error))

    async def adelete(self, file_path: str) -> DeleteResult:
        """Delete a file or a folder beside the event loop."""
        try:
            return await super().adelete(file_path)
        except LichenError as error:
            return DeleteResult(error=_said(error))

    def upload_files(self, files: list[tuple[str, bytes]]) -> list[FileUploadResponse]:
        """Put files, each by itself; see `BackendProtocol.upload_files`."""
        done: list[FileUploadResponse] = []
        for path, content in files:
            try:
                done += super().upload_files([(path, content)])
            except LichenError:
                done.append(FileUploadResponse(path=path, error="permission_denied"))
        return done


def _said(error: LichenError) -> str:
    return f"Error: {error}. {error.hint}".strip()
