"""A projection on disk: its weights, and what it is a projection of. Written whole or not at all.

The folder holds `projection.safetensors`, `softcot.json` and, while training is not done, `training.pt`.
"""

import hashlib
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import torch
from pydantic import Field, ValidationError
from safetensors.torch import load_file, save_file

from ...envs.errors import BadFile
from ...envs.types import Record
from ...memory.ledger.whole_file import whole
from ...memory.store.made_from import made_from
from ..llm.frozen import Frozen, ModelIdentity
from .errors import WrongModels
from .projection import Projection
from .soft_config import Example, ProjectionConfig, TrainConfig

WEIGHTS, CARD, TRAINING = "projection.safetensors", "softcot.json", "training.pt"


class Card(Record):
    """What a projection is: between which models, how it was trained, and from what."""

    assistant: ModelIdentity
    llm: ModelIdentity
    projection: ProjectionConfig
    train: TrainConfig
    seed: int
    start: str = ""
    """SHA-256 over the weights of the projection that it went on from; empty: none."""
    examples: str
    """SHA-256 over what it was trained from."""
    families: tuple[str, ...] = ()
    episodes: tuple[str, ...] = ()
    """Episodes that it was trained from, or whose cases it was shown; forgetting one takes the projection."""
    tasks: tuple[str, ...] = ()
    """Tasks that it was trained from."""
    asked: tuple[str, ...] = ()
    """Hashes of the questions that it was trained from (see `question_hash`)."""
    weights: str = ""
    """SHA-256 of the file of its weights: a card is of no others."""
    steps: int = 0
    tokens: int = 0
    """Tokens that went through the LLM in training."""
    seconds: float = 0.0
    losses: tuple[float, ...] = Field(default=())
    """Mean training loss of every epoch, nats a token."""
    held_out: tuple[float, ...] = Field(default=())
    """Loss on the held-out examples after every epoch."""

    def same_training(self, other: "Card") -> bool:
        """Return whether another card is of the same training, done or not."""
        parts = ("assistant", "llm", "projection", "train", "seed", "examples", "start")
        return all(getattr(self, part) == getattr(other, part) for part in parts)


def trained_card(folder: Path) -> Card | None:
    """Return the card of a trained projection; None where there is none, or it cannot be read."""
    try:
        return read_card(folder)
    except BadFile:
        return None


def save(folder: Path, projection: Projection, card: Card) -> None:
    """Write a trained projection with its card."""
    made_from(folder, card.episodes)
    state = {k: v.detach().cpu().contiguous() for k, v in projection.state_dict().items()}
    whole(folder / WEIGHTS, lambda path: save_file(state, path))
    card = card.model_copy(update={"weights": file_hash(folder / WEIGHTS)})
    text = card.model_dump_json(indent=1) + "\n"
    whole(folder / CARD, lambda path: path.write_text(text, encoding="utf-8"))


def read_card(folder: Path) -> Card:
    """Return the card of a trained projection.

    Raises:
        BadFile: There is none in the folder, or it cannot be read.
    """
    path = folder / CARD
    try:
        return Card.model_validate_json(path.read_text(encoding="utf-8"))
    except FileNotFoundError as error:
        unfinished = (folder / TRAINING).exists()
        raise BadFile(
            f"{folder} holds no trained projection" + (": its training is not done" * unfinished),
            hint="Run `lichen softcot train` (again, where it was interrupted).",
        ) from error
    except (ValidationError, UnicodeDecodeError) as error:
        raise BadFile(
            f"{path} is damaged", hint="Train it again: `lichen softcot train`."
        ) from error


def load(folder: Path, assistant: Frozen, llm: Frozen) -> tuple[Projection, Card]:
    """Return a trained projection with its card.

    Raises:
        BadFile: There is none, or it is damaged.
        WrongModels: It was trained between other models, tokenizers or templates.
    """
    card = read_card(folder)
    for what, wanted, given in (
        ("assistant", card.assistant, assistant.identity()),
        ("LLM", card.llm, llm.identity()),
    ):
        if part := wanted.differs(given):
            raise WrongModels(
                f"the projection in {folder} was trained with the {what} {wanted.name}, and the {part} of "
                f"{given.name} is another"
            )
    if card.weights != file_hash(folder / WEIGHTS):
        raise BadFile(
            f"the weights in {folder} are damaged, or not those of its card",
            hint="Train it again: `lichen softcot train`.",
        )
    projection = Projection(card.projection, assistant.d, llm.d, norm=1.0, seed=0)
    try:
        projection.load_state_dict(load_file(folder / WEIGHTS))
    except Exception as error:  # safetensors raises a class of its own, torch a RuntimeError
        raise BadFile(
            f"{folder / WEIGHTS} is damaged: {str(error).splitlines()[0]}",
            hint="Train it again: `lichen softcot train`.",
        ) from error
    return projection.eval(), card


def file_hash(path: Path) -> str:
    """Return the SHA-256 of a file; empty when it is not there."""
    try:
        return hashlib.sha256(path.read_bytes()).hexdigest()
    except FileNotFoundError:
        return ""


def question_hash(example: Example) -> str:
    """Return 16 hex digits of the SHA-256 of what an example asks."""
    return hashlib.sha256(f"{example.question}\0{example.seen}".encode()).hexdigest()[:16]


def unseen(card: Card, examples: Iterable[Example]) -> list[Example]:
    """Return the examples that a projection did not learn from, nor from their task."""
    tasks, asked = set(card.tasks), set(card.asked)
    return [e for e in examples if e.task not in tasks and question_hash(e) not in asked]


def save_training(folder: Path, state: dict[str, Any], episodes: Iterable[str]) -> None:
    """Write what training needs to go on, and what it is made from."""
    made_from(folder, episodes)
    whole(folder / TRAINING, lambda path: torch.save(state, path))


def load_training(folder: Path) -> dict[str, Any] | None:
    """Return what `save_training` wrote; None where training has not begun."""
    path = folder / TRAINING
    if not path.exists():
        return None
    try:
        found: dict[str, Any] = torch.load(path, weights_only=True)
        return found
    except Exception as error:  # pickle, zip and torch each raise classes of their own
        raise BadFile(
            f"{path} is damaged: {str(error).splitlines()[0]}",
            hint="Remove it (or say --fresh): training begins anew.",
        ) from error
