"""The same small game in six languages: colours and places that demonstrations did not have together."""

from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

import pytest

from lichen.agent.open_agent import OpenAgent
from lichen.envs.adapter import Adapter, Seen
from lichen.envs.types import Split, Task
from lichen.memory.store.demonstrations import from_gold, import_demonstrations


class Language(NamedTuple):
    """The game's sentences; `c` is a colour, `p` a place."""

    goal: str
    take: str
    put: str
    opening: str
    held: str
    colours: str
    places: str


LANGUAGES = {
    "en": Language(
        "put the {c} ball in the {p}",
        "take the {c} ball",
        "put it in the {p}",
        "You see balls and places.",
        "You hold the {c} ball.",
        "red blue green black white brown",
        "kitchen garden cellar attic garage office",
    ),
    "de": Language(
        "lege den {c} Ball in die {p}",
        "nimm den {c} Ball",
        "lege ihn in die {p}",
        "Du siehst Bälle und Räume.",
        "Du hältst den {c} Ball.",
        "roten blauen grünen schwarzen weißen braunen",
        "Küche Höhle Mühle Garage Kirche Tür",
    ),
    "zh": Language(
        "把{c}球放进{p}",
        "拿起{c}球",
        "把它放进{p}",
        "这里有球和地方。",
        "你拿着{c}球。",
        "红色 蓝色 绿色 黑色 白色 棕色",
        "厨房 花园 地下室 阁楼 车库 办公室",
    ),
    "ru": Language(
        "положи {c} мяч в {p}",
        "возьми {c} мяч",
        "положи его в {p}",
        "Ты видишь мячи и места.",
        "Ты держишь {c} мяч.",
        "красный синий зелёный чёрный белый бурый",
        "кухню сад подвал гараж офис чулан",
    ),
    "ar": Language(
        "ضع الكرة {c} في {p}",
        "خذ الكرة {c}",
        "ضعها في {p}",
        "ترى كرات وأماكن.",
        "تحمل الكرة {c}.",
        "الحمراء الزرقاء الخضراء السوداء البيضاء البنية",
        "المطبخ الحديقة القبو المرآب المكتب المخزن",
    ),
    "tr": Language(
        "{c} topu {p} koy",
        "{c} topu al",
        "onu {p} koy",
        "Toplar ve yerler var.",
        "{c} topu tutuyorsun.",
        "kırmızı mavi yeşil siyah beyaz kahverengi",
        "mutfağa bahçeye bodruma İçeriye garaja ofise",
    ),
}


class Balls(Adapter):
    """Take the ball of a colour, put it in a place."""

    max_steps = 4

    def __init__(self, said: Language) -> None:
        super().__init__()
        self.name = "balls"
        self._said = said
        self._colours, self._places = said.colours.split(), said.places.split()
        self._want = self._held = ""
        self._where = ""

    def families(self) -> tuple[str, ...]:
        return ("balls",)

    def tasks(self, split: Split, families: Sequence[str] | None = None) -> tuple[Task, ...]:
        every = (self.task(f"balls/{i}") for i in range(12))
        return tuple(task for task in every if task.split == split)

    def task(self, task_id: str) -> Task:
        number = int(task_id.rpartition("/")[2])
        split: Split = "train" if number < 4 else "test"
        return Task(id=task_id, env=self.name, family="balls", split=split)

    def gold(self) -> tuple[str, ...]:
        return self._said.take.format(c=self._want), self._said.put.format(p=self._where)

    def _start(self, task: Task, seed: int) -> Seen:
        number = int(task.id.rpartition("/")[2])
        self._want, self._held = self._colours[number % 6], ""
        self._where = self._places[(number * 5 + number // 6) % 6]
        return self._see(self._said.opening)

    def _act(self, action: str) -> Seen:
        if not self._held:
            takes = {self._said.take.format(c=c): c for c in self._colours}
            self._held = takes.get(action, "")
            right = self._held == self._want
            return self._see(self._said.held.format(c=self._held), 0.5 * right, lost=not right)
        won = action == self._said.put.format(p=self._where)
        return self._see(self._said.opening, float(won), won=won, lost=not won)

    def _see(self, text: str, score: float = 0.0, *, won: bool = False, lost: bool = False) -> Seen:
        return Seen(
            text=text,
            goal=self._said.goal.format(c=self._want, p=self._where),
            admissible=tuple(
                [self._said.put.format(p=p) for p in self._places]
                if self._held
                else [self._said.take.format(c=c) for c in self._colours]
            ),
            score=score,
            won=won,
            lost=lost,
        )


@pytest.mark.parametrize("language", LANGUAGES)
def test_memory_serves_any_language_as_it_serves_english(language: str, tmp_path: Path) -> None:
    with OpenAgent.from_config(store=tmp_path, embedder="hashing", policy={"llm": False}) as agent:
        environment = Balls(LANGUAGES[language])
        agent.add(environment)
        shown = from_gold(environment, [task.id for task in environment.tasks("train")])
        import_demonstrations(agent.store, shown, run="gold")
        tasks = environment.tasks("test")
        won = [agent.run(task.id).outcome == "success" for task in tasks]
    assert sum(won) >= len(won) - 1
