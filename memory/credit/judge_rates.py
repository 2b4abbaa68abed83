"""Noise of judges: how often a model's verdict is wrong, and outcomes that are right on average all the same.

On tasks that the environment verifies, the judge is asked too; its two error rates correct the outcomes of
those tasks where there is nothing but the judge (Rogan and Gladen 1978). An outage is no verdict at all.
"""

from dataclasses import dataclass

LEAST = 0.1
"""Youden's index below which a judge says next to nothing, and its outcomes are left out."""
PRIOR = 1.0
"""Verdicts of each kind that are taken for granted: a judge never checked counts as a coin."""


@dataclass
class JudgeRates:
    """Counts of verdicts against the truth."""

    right_yes: int = 0
    wrong_no: int = 0
    right_no: int = 0
    wrong_yes: int = 0

    def observe(self, said: bool, truth: bool) -> None:
        """Take one verdict on a task whose outcome is known."""
        if truth:
            self.right_yes += said
            self.wrong_no += not said
        else:
            self.right_no += not said
            self.wrong_yes += said

    @property
    def sensitivity(self) -> float:
        """P(judge says success | success)."""
        return (self.right_yes + PRIOR) / (self.right_yes + self.wrong_no + 2 * PRIOR)

    @property
    def specificity(self) -> float:
        """P(judge says failure | failure)."""
        return (self.right_no + PRIOR) / (self.right_no + self.wrong_yes + 2 * PRIOR)

    def corrected(self, said: float) -> float | None:
        """Return an outcome whose expectation is the true one, None when the judge says next to nothing.

        Args:
            said: The judge's outcome, 1 for success, 0 for failure.

        Returns:
            (said + specificity - 1) / (sensitivity + specificity - 1); may lie outside [0, 1].

        >>> judge = JudgeRates(right_yes=899, wrong_no=99, right_no=799, wrong_yes=199)
        >>> round(judge.corrected(1.0), 3), round(judge.corrected(0.0), 3)
        (1.143, -0.286)
        """
        index = self.sensitivity + self.specificity - 1
        return (said + self.specificity - 1) / index if index >= LEAST else None
