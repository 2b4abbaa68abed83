"""Work on the library that takes a while: it goes on when nobody looks, and its result is there afterwards."""

import logging
import threading
import time
import uuid
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass, field

from .....envs.errors import LichenError
from .....skills.admission import Verdict
from .....skills.dry_run import DryRun, DryStep
from .....skills.errors import SkillChanged, UnknownSkill
from .....skills.trial import TestResult
from .....skills.types import Skill
from ....skill_actions.open_library import OpenLibrary
from .inspected import Inspected

_log = logging.getLogger(__name__)
_MOST = 200
"""Jobs that are remembered; the oldest that has ended goes first."""


@dataclass
class Job:
    """One piece of work."""

    title: str
    skill: str
    author: str
    kept: Skill | None = None
    """What a person wrote, so that it is not lost whatever becomes of the work."""
    saves: str = ""
    """Name under which the browser keeps what was typed."""
    id: str = field(default_factory=lambda: uuid.uuid4().hex[:12])
    at: float = field(default_factory=time.time)
    results: list[TestResult] = field(default_factory=list)
    steps: list[DryStep] = field(default_factory=list)
    verdict: Verdict | None = None
    dry: DryRun | None = None
    error: str = ""
    hint: str = ""
    conflict: bool = False
    """Whether somebody else changed the skill meanwhile."""
    began: bool = False
    done: bool = False
    changes: int = 0
    """Raised whenever something of it changed."""

    def tested(self, result: TestResult) -> None:
        """Take how a test ended."""
        self.results.append(result)
        self.changes += 1

    def stepped(self, step: DryStep) -> None:
        """Take a step of a dry run."""
        self.steps.append(step)
        self.changes += 1


Work = Callable[[OpenLibrary, Job], Verdict | DryRun | list[TestResult]]


class LibraryJobs:
    """The jobs of one process, done one after another, each with a jail and environments of its own.

    Args:
        inspected: Where the library is.
    """

    def __init__(self, inspected: Inspected) -> None:
        self._inspected = inspected
        self._held: OrderedDict[str, Job] = OrderedDict()
        self._one = threading.Lock()

    def start(self, job: Job, work: Work) -> Job:
        """Begin a job; it ends with its process at the latest, and a change is then whole or not there."""
        self._held[job.id] = job
        over = len(self._held) - _MOST
        for name in [name for name, old in self._held.items() if old.done][: max(0, over)]:
            self._held.pop(name, None)
        threading.Thread(
            target=self._do, args=(job, work), name=f"lichen-{job.id}", daemon=True
        ).start()
        return job

    def find(self, name: str) -> Job:
        """Return a job.

        Raises:
            UnknownSkill: There is none of this name, or its process ended.
        """
        if name not in self._held:
            raise UnknownSkill(
                "this result is not there any more: it was kept until its process ended"
            )
        return self._held[name]

    def latest(self, skill: str = "") -> list[Job]:
        """Return the jobs, of a skill or all, the newest first."""
        return [job for job in reversed(self._held.values()) if skill in ("", job.skill)]

    def _do(self, job: Job, work: Work) -> None:
        with self._one:
            job.began = True
            job.changes += 1
            try:
                with OpenLibrary(
                    self._inspected.library,
                    level=self._inspected.config.skills.jail,
                    author=job.author,
                    on_result=job.tested,
                ) as opened:
                    done = work(opened, job)
                if isinstance(done, Verdict):
                    job.verdict = done
                elif isinstance(done, DryRun):
                    job.dry = done
            except LichenError as error:
                job.error, job.hint = str(error), error.hint
                job.conflict = isinstance(error, SkillChanged)
            except (
                Exception
            ) as error:  # a fault of ours is told like any other: somebody waits for it
                _log.exception("%s broke", job.title)
                job.error = f"{type(error).__name__}: {error}"
            finally:
                job.done = True
                job.changes += 1
