"""What can go wrong between Lichen and a language model, by whose fault it is."""

from ...envs.errors import LichenError


class LLMUnavailable(LichenError):
    """The model did not answer: server down, time-out, overload after all retries."""

    hint = "Check that the server runs and is reachable; the episode was recorded as unknown."
    retryable = True


class LLMRefused(LichenError):
    """The server refused the call for good (key, model name, request)."""

    hint = "Check the key, the model name and the base URL."

    def __init__(self, message: str, *, hint: str | None = None, status: int = 0) -> None:
        super().__init__(message, hint=hint)
        self.status = status
        """The HTTP status; 0: there was none."""


class LLMNonsense(LichenError):
    """The model answered, and not in the form that was asked for, also after one repair turn."""

    hint = "Use a model that follows the schema, or the planner style `reactive`."
    retryable = True


class AnswerCut(LLMNonsense):
    """The answer was longer than `max_tokens`, also when it was asked for again with more."""

    hint = "Use a model that thinks less, or a shorter task."

    def __init__(self, message: str, *, hint: str | None = None, said: str = "") -> None:
        super().__init__(message, hint=hint)
        self.said = said
        """The text as far as it came."""


class ContextOverflow(LichenError):
    """The conversation is longer than the model reads; a shorter one can be sent."""

    hint = "Set talk.context_tokens below the model's context, or serve it with a longer one."
    retryable = True


class BudgetSpent(LichenError):
    """The tokens that one episode may cost are spent before its end."""

    hint = "Raise talk.episode_tokens, or lower the number of steps."
    retryable = True


class PromptRefused(LichenError):
    """The server or the model refused this one conversation (a content filter); others may pass."""

    hint = "The task was recorded as unknown; the others go on."
    retryable = True


class RequestRefused(PromptRefused):
    """The server called this one request wrong (HTTP 400, 422), and not for a parameter it can do without."""

    hint = "The task was recorded as unknown. Where all are, check the model name and the base URL."


class ModelNotFound(LichenError):
    """No such packaged model, folder, file, or hub id within reach."""


class FingerprintChanged(LichenError):
    """The model was not the same after the run as before it."""

    hint = "A frozen model must not change during a run; the results of this run do not count."


class SlotError(LichenError):
    """A tokenizer or a prompt has no right place for soft thoughts."""

    hint = "Use a model whose tokenizer has reserved special tokens, or the verbal hint."


def check_fingerprint(before: str, after: str) -> None:
    """Raise FingerprintChanged when the model was not the same afterwards."""
    if before != after:
        raise FingerprintChanged(
            f"the model's fingerprint was {before[:16]} before the run and is {after[:16]} after it"
        )
