"""An example as the rows that a reader of soft thoughts takes; one place for training, the gate and tables."""

from ..llm.slots import for_cue, for_llm
from ..llm.soft_reader import Row, SoftReader
from .soft_config import Example


def row_of(reader: SoftReader, example: Example, n: int) -> Row:
    """Return the row of an example with n soft thoughts."""
    if example.form == "cue":
        prompt = for_cue(reader.llm, reader.marks, example.question, n)
        return Row(prompt, tuple(reader.llm.ids(example.target)))
    return reader.row(for_llm(reader.llm, reader.marks, example.question, n), example.target)
