"""BM25."""

from lichen.memory.likeness.lexical import BM25

GOALS = (
    "sort the quarterly report by date",
    "sort the quarterly report by name",
    "sort the quarterly report by size",
    "sort the quarterly report by owner",
    "send invoice AX-7731 to the customer",
    "water the plants in the hall",
)


def test_bm25_ranks_rare_words_first_and_knows_nothing_of_others() -> None:
    index = BM25()
    for number, goal in enumerate(GOALS):
        index.add(str(number), goal)
    found = index.scores("the invoice of the hall")
    assert list(found)[:2] == ["4", "5"] or list(found)[:2] == ["5", "4"]
    assert index.scores("unheard") == {}
    assert list(index.scores("report", keep=lambda name: name == "2")) == ["2"]
