"""Off-stream text, and how far an arm has moved from the base model on it.

The anchors have nothing to do with any stream: a way of learning that does not forget leaves them alone.
"""

from collections.abc import Callable, Sequence
from typing import Any

import torch

from ..kernel.divergence import divergence

ANCHORS = (
    "The ferry leaves the harbour at seven in the morning and returns before the lighthouse is lit.",
    "Water boils at a lower temperature on a mountain, because the air presses on it less.",
    "She folded the letter twice, put it in her coat, and never spoke of it again.",
    "def area(width, height):\n    return width * height\n",
    "The committee will publish its report on river pollution at the end of the month.",
    "Three times seven is twenty-one, and twenty-one plus nine is thirty.",
    "In the winter of 1911 two expeditions raced each other to the South Pole.",
    "Preheat the oven, rub the butter into the flour, and let the dough rest for an hour.",
    "Photosynthesis turns carbon dioxide and water into sugar with the energy of light.",
    "Our train was late again, so we missed the first act of the play.",
    "The capital of Norway is Oslo, and the capital of Portugal is Lisbon.",
    "A triangle with sides of three, four and five units has a right angle.",
    "The doctor asked him to sleep more, to walk every day, and to drink less coffee.",
    "SELECT name, city FROM customers WHERE city = 'Vienna' ORDER BY name;",
    "Although the violin is small, a good player can fill a large hall with it.",
    "The court decided that the contract was void, since one party had signed it under threat.",
    "Swallows fly low before rain because the insects that they hunt do.",
    "Prices rose by two per cent last year, while wages hardly rose at all.",
    "Das Museum ist montags geschlossen, aber der Garten bleibt offen.",
    "Nobody in the village could remember a summer as dry as that one.",
)
"""Written for this purpose."""


def log_probs(model: Any, ids: Sequence[int], front: torch.Tensor | None = None) -> torch.Tensor:
    """Return the log-probabilities with which a model predicts each token of a text but its first.

    Args:
        model: A causal LM of transformers.
        ids: Token ids of the text, n >= 2.
        front: Embeddings that stand before the text, shape (m, d); None: nothing does, and ids are read.

    Returns:
        Natural logarithms over the vocabulary, float64, shape (n - 1, V).
    """
    with torch.no_grad():
        row = torch.tensor([list(ids)], device=model.device)
        if front is None:
            logits = model(input_ids=row, use_cache=False).logits[0]
        else:
            words = model.get_input_embeddings()(row)[0]
            given = torch.cat([front.to(words), words])[None]
            logits = model(inputs_embeds=given, use_cache=False).logits[0, len(front) :]
        return torch.log_softmax(logits[:-1].double(), dim=-1)


def drift(base: Callable[[str], torch.Tensor], arm: Callable[[str], torch.Tensor]) -> float:
    """Return the mean KL(base || arm) in nats per token over all anchors, teacher-forced.

    Args:
        base: Gives the log-probabilities of a text's tokens as the base model predicts them (see `log_probs`).
        arm: The same as an arm predicts them.
    """
    each = torch.cat([divergence(base(text), arm(text)) for text in ANCHORS])
    return float(each.mean())
