"""Earlier forms of events, and how they are read now. A stored row is never rewritten."""

from typing import Any, Literal

from ...envs.types import Record


class FirstRecalled(Record):
    """Version 1 of `Recalled`: parallel tuples."""

    version: Literal[1]
    type: Literal["recalled"]
    step: int
    considered: int
    exposed: tuple[str, ...]
    similarity: tuple[float, ...]
    propensity: tuple[float, ...]
    abstained: bool
    held: tuple[str, ...] = ()
    held_propensity: tuple[float, ...] = ()
    grain: str = "steps"

    def now(self) -> dict[str, Any]:
        """Return it in the form of version 2."""
        shown = zip(self.exposed, self.similarity, self.propensity, strict=True)
        held = zip(self.held, self.held_propensity, strict=True)
        return {
            "type": self.type,
            "step": self.step,
            "considered": self.considered,
            "items": [
                *(
                    {"case": case, "exposed": True, "similarity": near, "propensity": chance}
                    for case, near, chance in shown
                ),
                *({"case": case, "exposed": False, "propensity": chance} for case, chance in held),
            ],
            "abstained": self.abstained,
            "grain": self.grain,
        }
