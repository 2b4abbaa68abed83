"""Whether a model reads vectors as it reads words: embeddings of plain words must give the words' answer.

It catches what no document says, such as a model that scales its embeddings (Gemma by the root of d).
"""

import torch

from ...envs.errors import LichenError
from ...envs.types import Record
from ..llm.frozen import Frozen
from ..llm.slots import Prompt, for_llm
from ..llm.soft_reader import SoftReader

QUESTIONS = (
    "What is the capital of France?",
    "Name three colours.",
    "Say what comes after this.",
)
WORDS = " Think of a river and say it."


class Probe(Record):
    """What came of the test."""

    usable: bool
    reason: str = ""
    """Why the model takes no vectors."""
    compared: int = 0
    """Answers that were compared."""
    d: int
    """Size of the embeddings."""


def probe(llm: Frozen, *, max_tokens: int = 12) -> Probe:
    """Return whether a model in this process reads soft thoughts faithfully.

    Args:
        llm: The frozen model.
        max_tokens: Tokens of each answer.
    """
    words = llm.ids(WORDS)
    with torch.inference_mode():
        table = llm.model.get_input_embeddings()
        soft = table(torch.tensor(words, device=llm.model.device)).float().cpu()
    # vectors that are dropped would pass where the words change nothing: these must change an answer
    noise = torch.randn(soft.shape, generator=torch.Generator().manual_seed(0))
    noise = torch.nn.functional.normalize(noise, dim=-1) * soft.norm(dim=-1, keepdim=True) * 3
    changed, compared = False, 0
    try:
        reader = SoftReader(llm)
        for question in QUESTIONS:
            prompt = for_llm(llm, reader.marks, question, len(words))
            said = list(prompt.ids)
            said[prompt.start : prompt.start + prompt.n] = words
            text = Prompt(tuple(said), len(said), 0)
            theirs = reader.generate(text, torch.zeros(0, llm.d), max_tokens=max_tokens)
            ours = reader.generate(prompt, soft, max_tokens=max_tokens)
            if ours != theirs:
                reason = f"after {question!r} the words give {theirs!r}, their embeddings {ours!r}"
                return Probe(usable=False, reason=reason, compared=compared, d=llm.d)
            changed |= reader.generate(prompt, noise, max_tokens=max_tokens) != theirs
            compared += 1
    except LichenError as error:
        return Probe(usable=False, reason=str(error), compared=compared, d=llm.d)
    if not changed:
        reason = "quite other vectors change no answer: they are not read"
        return Probe(usable=False, reason=reason, compared=compared, d=llm.d)
    return Probe(usable=True, compared=compared, d=llm.d)
