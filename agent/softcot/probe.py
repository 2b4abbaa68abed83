"""Whether a model reads vectors as it reads words: the test of every way for soft thoughts."""

import torch

from ...envs.types import Record
from .errors import SlotError
from .models import Frozen
from .reader import SoftReader
from .slots import for_llm, marks_of

QUESTIONS = (
    "What is the capital of France?",
    "Name three colours.",
    "Say: the sky is blue.",
)
WORDS = " Think of the answer and say it."


class Probe(Record):
    """What came of the test."""

    transport: str
    usable: bool
    reason: str = ""
    """Why it is not usable."""
    compared: int = 0
    """Greedy tokens that were compared."""
    d: int = 0
    """Size of the embeddings."""
    marks: tuple[str, ...] = ()
    """The placeholder, the begin and the end mark."""


def probe_transformers(llm: Frozen, *, max_tokens: int = 12) -> Probe:
    """Send the embeddings of plain words, and compare the greedy tokens with those of the text.

    Some models scale their embeddings (Gemma by the root of d); where the two ways differ, this shows it.

    Args:
        llm: The frozen model.
        max_tokens: Tokens of each answer.
    """
    try:
        reader = SoftReader(llm)
    except SlotError as error:
        return Probe(transport="transformers", usable=False, reason=str(error), d=llm.d)
    marks = marks_of(llm.tokenizer)
    words = llm.ids(WORDS)
    with torch.inference_mode():
        soft = llm.model.get_input_embeddings()(torch.tensor(words, device=llm.model.device))
    compared, reason = 0, ""
    for question in QUESTIONS:
        prompt = for_llm(llm, marks, question, len(words))
        plain = list(prompt.ids)
        plain[prompt.start : prompt.start + prompt.n] = words
        with torch.inference_mode():
            given = torch.tensor([plain], device=llm.model.device)
            made = llm.model.generate(given, max_new_tokens=max_tokens, do_sample=False)
        theirs = llm.tokenizer.decode(made[0, len(plain) :], skip_special_tokens=True)
        ours = reader.generate(prompt, soft, max_tokens=max_tokens)
        compared += int(made.shape[1]) - len(plain)
        if ours != theirs and not reason:
            reason = f"after {question!r} the words give {theirs!r} and their embeddings {ours!r}"
    names = [llm.tokenizer.convert_ids_to_tokens(i) for i in (marks.placeholders[0], marks.begin)]
    return Probe(
        transport="transformers",
        usable=not reason,
        reason=reason,
        compared=compared,
        d=llm.d,
        marks=(*names, llm.tokenizer.convert_ids_to_tokens(marks.end)),
    )
