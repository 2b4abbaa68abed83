"""The expert: what the gold trajectory does next, also after a detour.

While the episode is on the trajectory, its next action. After a detour the way back: a move in a direction is
undone, a place that the trajectory came from is gone to again, and what was left undone is done then.
"""

from collections.abc import Sequence

OPPOSITE = {"north": "south", "south": "north", "east": "west", "west": "east"}
_WAYS = {"up": "down", "down": "up"} | OPPOSITE


class Expert:
    """Knows one task.

    Args:
        gold: Its winning actions.
        calls: Whether actions are calls of tools: nothing is undone there.
    """

    def __init__(self, gold: Sequence[str], *, calls: bool) -> None:
        self.gold, self._calls = tuple(gold), calls

    def next(self, actions: Sequence[str], moved: Sequence[bool], open_to: Sequence[str]) -> str:
        """Return the next right action; empty where the expert is at a loss.

        Args:
            actions: Taken so far.
            moved: Whether each of them led to another place.
            open_to: What can be done now; empty where any text or call can be given.
        """
        done, back = self._where(actions, moved)
        if back:
            return back[-1] if not open_to or back[-1] in open_to else ""
        if done == len(self.gold):
            return ""
        if not open_to or self.gold[done] in open_to:
            return self.gold[done]
        # the trajectory went on from a place that a detour left: go there again
        for action in reversed(self.gold[:done]):
            if action in open_to and action.split(" ", 1)[0] in ("go", "move"):
                return action
        return ""

    def _where(self, actions: Sequence[str], moved: Sequence[bool]) -> tuple[int, list[str]]:
        """Return how many gold actions are done, and the moves that lead back to the trajectory."""
        done = 0
        back: list[str] = []
        for action, went in zip(actions, moved, strict=True):
            if back and action == back[-1]:
                back.pop()
            elif not back and done < len(self.gold) and action == self.gold[done]:
                done += 1
            elif went and not self._calls and (undo := _undone(action)):
                back.append(undo)
        return done, back


def _undone(action: str) -> str:
    """Return the move that undoes a move in a direction; empty for other actions.

    >>> _undone("move north"), _undone("take coin")
    ('move south', '')
    """
    verb, _, way = action.rpartition(" ")
    return f"{verb} {_WAYS[way]}" if verb and way in _WAYS else ""
