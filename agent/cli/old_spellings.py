"""Old spellings of commands and options, each with one sentence that says the new one."""

from typing import NamedTuple


class Moved(NamedTuple):
    """An old spelling."""

    words: str
    option: str
    """"": the words alone."""
    says: str
    """One sentence with the new spelling."""


_CONTINUAL = "`lichen continual SUITE` learns a stream of task families"
_EVALUATE = (
    "`lichen skills evaluate SUITE --iterations N` compares practice with and without skills"
)
_SERVED = (
    "`lichen softcot probe --model MODEL` tests a model in this process, served models are gone"
)
MOVED = (
    Moved("eval continual", "", f"`lichen eval continual` is gone: {_CONTINUAL}"),
    Moved("eval faithfulness", "", "`lichen eval faithfulness` is `lichen bench faithfulness` now"),
    Moved("faithfulness", "", "`lichen faithfulness` is `lichen bench faithfulness` now"),
    Moved("picture", "", "`lichen picture` is `lichen bench picture` now"),
    Moved("eval", "--protocol", f"`--protocol` is gone: {_CONTINUAL}, `lichen eval` is held-out"),
    Moved("eval", "--examples", f"`lichen eval --examples` is gone: {_CONTINUAL}"),
    Moved("eval", "--epochs", f"`lichen eval --epochs` is gone: {_CONTINUAL}"),
    Moved("eval", "--iterations", f"`lichen eval --iterations` is gone: {_EVALUATE}"),
    Moved("eval", "--moves", f"`lichen eval --moves` is gone: {_EVALUATE}"),
    Moved("eval", "--write", f"`lichen eval --write` is gone: {_EVALUATE}"),
    Moved("softcot probe", "--twin", f"`--twin` is gone: {_SERVED}"),
    Moved("softcot probe", "--base-url", f"`--base-url` is gone here: {_SERVED}"),
)
"""Old spellings that would otherwise be an unknown option, or a suite that does not exist."""


def moved(words: list[str]) -> str | None:
    """Return the sentence for an old spelling; None for one of now.

    >>> moved(["eval", "faithfulness", "--of", "cases"])
    '`lichen eval faithfulness` is `lichen bench faithfulness` now'
    >>> moved(["eval", "demo", "--iterations=3"]).partition(":")[0]
    '`lichen eval --iterations` is gone'
    >>> moved(["eval", "demo"])
    """
    for row in MOVED:
        said = row.words.split()
        if words[: len(said)] == said and (
            not row.option or any(w.partition("=")[0] == row.option for w in words)
        ):
            return row.says
    return None
