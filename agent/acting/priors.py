"""What the weights of the channels are before there is evidence of a model in an environment.

A model that nobody measured is trusted as it is: its first choice stands until the evidence, or its own
repeating itself, speaks against it. Models that were measured (by `lichen bench weights`) ship with what was
found, in `priors.json`.
"""

from functools import cache
from importlib.resources import files

from pydantic import TypeAdapter

from ...memory.credit.channel_weights import ChannelWeights, WeightPrior

AS_IT_IS = 20.0
"""Nats for the first choice of a model that nothing is known of: more than all else can give an action."""
_SPREADS = (5.0, 1.0, 1.0, 1.0, 0.5)

NO_MODEL = WeightPrior(
    mean=ChannelWeights(
        first=0.0, scores=0.0, value=10.0, novelty=3.0, repetition=3.0, warned=3.0, skills=1.0
    ),
    spread=(1.0, 1.0, *_SPREADS),
    source="README's arm knn: 8 of 8 mapreader games, 0.65 on ALFWorld with 100 demonstrations",
)
UNKNOWN = WeightPrior(
    mean=NO_MODEL.mean.model_copy(update={"first": AS_IT_IS, "scores": 1.0}),
    spread=(10.0, 1.0, *_SPREADS),
    source="a model is trusted as it is",
)


def prior_of(model: str) -> WeightPrior:
    """Return the prior of a model by the name that the settings give it; the empty name: of no model."""
    if not model:
        return NO_MODEL
    return _measured().get(model, UNKNOWN)


@cache
def _measured() -> dict[str, WeightPrior]:
    text = files(__package__).joinpath("priors.json").read_text(encoding="utf-8")
    return TypeAdapter(dict[str, WeightPrior]).validate_json(text)
