"""Tables of results for the terminal."""

from collections.abc import Collection, Iterable, Sequence

from rich.table import Table


def table(
    title: str,
    columns: Sequence[str],
    rows: Iterable[Sequence[str]] = (),
    *,
    left: Collection[str] = ("arm",),
    fold: bool = False,
) -> Table:
    """Return a table: numbers stand right, the columns in `left` stand left.

    Args:
        title: Above it.
        columns: Their names.
        rows: A text for each column.
        left: Columns of words.
        fold: Whether long cells go on in a second line.
    """
    made = Table(title=title)
    for name in columns:
        made.add_column(
            name,
            justify="left" if name in left else "right",
            overflow="fold" if fold else "ellipsis",
        )
    for row in rows:
        made.add_row(*row)
    return made
