"""Asking: one request is one episode of an environment whose tasks are the requests that come.

It is remembered as every episode is; its outcome is unknown, and it is no case, until somebody or a judge says
more of it.
"""

import asyncio
import logging
import time
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import replace
from weakref import WeakValueDictionary

from ...envs.approval import Approval
from ...envs.awaiting import awaited
from ...envs.errors import LichenError, UsageError
from ...envs.functions import Request
from ...envs.open_requests import OpenRequests
from ...envs.tools import Tool
from ...memory.ledger.content_id import content_id
from ...memory.ledger.cost_event import CostNoted
from ...memory.ledger.errors import UnknownCase
from ...memory.ledger.events import EpisodeEnded, EpisodeStarted
from ...memory.ledger.ledger import Entry
from ...memory.ledger.namespaces import EVERYONE, checked
from ...memory.recall.case_memory import CaseMemory
from ...memory.store.verdicts import judged
from ..episode.limits import EpisodeLimits
from ..episode.run_episode import EpisodeResult, run_episode
from ..llm.errors import BudgetSpent
from ..llm.metering import metered
from ..llm.prices import cost_of
from ..llm.protocol import Usage
from ..telemetry.spans import span
from .answer import Answer, AnswerCost, AnswerGiven
from .budget import Budget, DaySpent
from .conversation import beginning, checked_thread, episode_in, opening, turns_before
from .opened import Opened
from .telling import Telling, Told, answer_in, partial

_log = logging.getLogger(__name__)
Judge = Callable[[str, str], bool | float]
"""Told the request and the answer; says how right it is, in [0, 1]. An async one is awaited."""
MODEL = "model"
"""In the place of a judge: the agent's own model is asked, and marked as a judge that errs."""


class Unanswered(LichenError):
    """A request came to no answer: the model or something outside did not answer. It is no failed task."""

    hint = "Ask again; what was done is remembered as unknown, and teaches nothing."


class Asks:
    """The requests of one agent.

    Args:
        agent: Opened.
        name: Of the kind of work; what is learned under one name is not recalled under another.
        tools: What may be called.
        judge: Says how right answers are; `model`: the agent's own model; None: nobody but feedback.
    """

    def __init__(
        self, agent: Opened, name: str, tools: Sequence[Tool], judge: Judge | str | None
    ) -> None:
        if isinstance(judge, str) and judge != MODEL:
            raise UsageError(f"there is no judge {judge!r}", hint="Give a function, or `model`.")
        self._agent, self._judge = agent, judge
        self._requests = OpenRequests(name, tools)
        if agent.config.budget.ask.steps is not None:
            self._requests.max_steps = agent.config.budget.ask.steps
        agent.add(self._requests)
        self._turns: WeakValueDictionary[str, asyncio.Lock] = WeakValueDictionary()
        self._day = DaySpent(agent.store.ledger)
        self._fingerprint = ""

    async def ask(
        self,
        text: str,
        *,
        namespace: str = EVERYONE,
        thread: str = "",
        tell: Told | None = None,
    ) -> Answer:
        """Answer one request.

        Args:
            text: Of the user.
            namespace: Whose it is.
            thread: The conversation that it is a turn of; empty: a request by itself.
            tell: Told of what happens meanwhile.

        Raises:
            UsageError: The text is empty, or a name is none.
            Unanswered: The model or something outside did not answer.
        """
        if not text.strip():
            raise UsageError("there is nothing to answer: the request is empty")
        checked(namespace)
        checked_thread(thread)
        if over := self._over():
            return Answer(id="", text=over, stopped=over, thread=thread, namespace=namespace)
        ledger = self._agent.store.ledger
        talk = thread or content_id("alone", namespace, text, str(ledger.head()))
        async with self._turn(namespace, talk):
            number = ledger.count_episodes(beginning(namespace, talk))
            episode = episode_in(namespace, talk, number)
            started = EpisodeStarted(
                env=self._requests.name,
                family=self._requests.name,
                split="train",
                task_id=f"{self._requests.name}/{episode}",
                goal=text,
                source="own",
                namespace=namespace,
                thread=thread,
            )
            return await self._run(episode, started, talk, number, tell)

    async def resume(
        self, episode: str, approval: Approval | None = None, *, tell: Told | None = None
    ) -> Answer:
        """Go on with a request that waits for a person, or that a kill cut off.

        Args:
            episode: Id of its answer.
            approval: What the person said.
            tell: Told of what happens meanwhile.

        Raises:
            UnknownCase: No request has this id.
            UsageError: It has ended.
            Unanswered: The model or something outside did not answer.
        """
        rows = list(self._agent.store.rows_of(episode))
        began = next((row.event for row in rows if isinstance(row.event, EpisodeStarted)), None)
        if began is None:
            raise UnknownCase(f"no request {episode!r} is in {self._agent.store.folder}")
        if any(isinstance(row.event, EpisodeEnded) for row in rows):
            raise UsageError(f"the request {episode} has ended")
        stem, _, number = episode.rpartition("-")
        async with self._turn(began.namespace, stem):
            return await self._run(
                episode, began, began.thread, int(number), tell, approval, run=rows[0].run
            )

    @asynccontextmanager
    async def _turn(self, namespace: str, talk: str) -> AsyncIterator[None]:
        """Let the turns of one conversation come one after another."""
        name = f"{namespace}\x1f{talk}"
        lock = self._turns.setdefault(name, asyncio.Lock())
        async with lock:
            yield

    async def _run(
        self,
        episode: str,
        started: EpisodeStarted,
        talk: str,
        number: int,
        tell: Told | None,
        approval: Approval | None = None,
        run: str = "",
    ) -> Answer:
        agent, begun = self._agent, time.monotonic()
        before = turns_before(agent.store.ledger, started.namespace, talk, number)
        task = self._requests.open(Request(episode, started.goal), opening(before)).id
        run = run or await self._opened()
        telling = Telling(tell)
        name = self._requests.name
        asking = span(f"invoke_agent {name}", gen_ai__operation__name="invoke_agent")
        with metered() as used, asking as noting:
            noting.note(gen_ai__agent__name=name, lichen__episode=episode)
            noting.note(gen_ai__conversation__id=started.thread or None)
            noting.content(gen_ai__input__messages=started.goal)
            try:
                async with agent.environments.lent(None, task) as environment:
                    parts = replace(
                        agent.parts(
                            environment,
                            task,
                            memory=CaseMemory(
                                agent.store, agent.config.retriever, namespace=started.namespace
                            ),
                            learn=True,
                            explores=False,
                            speaks=True,
                            llm_name=self._fingerprint,
                            skills=agent.skills.offered,
                            hints=not started.namespace,
                        ),
                        namespace=started.namespace,
                        thread=started.thread,
                        limits=self._limits(used),
                    )
                    if self._judge != MODEL:
                        parts = replace(parts, critic=None)
                    telling.watch(parts.stage)
                    async with agent.graph() as graph:
                        result = await run_episode(
                            graph,
                            parts,
                            episode=episode,
                            run=run,
                            on_event=telling.node,
                            approval=approval,
                        )
            finally:
                self._requests.drop(task)
                noting.note(
                    gen_ai__usage__input_tokens=used.tokens_in,
                    gen_ai__usage__output_tokens=used.tokens_out,
                )
                self._spent(episode, run, used, telling.steps, time.monotonic() - begun)
        answer = self._answer(result, started, telling, used, time.monotonic() - begun)
        await agent.store.finish()
        answer = await self._checked(answer, started.goal)
        if tell is not None:
            tell(AnswerGiven(answer=answer))
        return answer

    async def _opened(self) -> str:
        """Return the run that requests of these settings belong to; it is begun once."""
        agent = self._agent
        if not self._fingerprint:
            self._fingerprint = await agent.fingerprint(agent.config.policy.llm)
        event = agent.started("ask", self._requests.name, self._fingerprint, {})
        run = content_id("ask", event.model_dump_json())
        agent.opened(run, event)
        return run

    def _limits(self, used: Usage) -> EpisodeLimits:
        budget, model = self._left(), self._agent.config.model
        prices = self._agent.config.prices
        return EpisodeLimits(
            tokens=budget.tokens,
            dollars=budget.dollars,
            seconds=budget.seconds,
            used=lambda: used,
            cost=lambda spent: cost_of(spent, model, prices),
        )

    def _left(self) -> Budget:
        budget = self._agent.config.budget
        return budget.ask.within(budget.day.less(self._day.today()) if budget.daily else Budget())

    def _over(self) -> str:
        """Return why nothing may be asked today any more; empty where it may."""
        budget = self._agent.config.budget
        name = budget.day.less(self._day.today()).used_up if budget.daily else ""
        if not name:
            return ""
        limit = getattr(budget.day, name)
        return f"Nothing was done: today's budget of {limit:g} {name} is used up."

    def _spent(self, episode: str, run: str, used: Usage, steps: int, seconds: float) -> None:
        spent = CostNoted(
            tokens_in=used.tokens_in,
            cached=used.cached,
            tokens_out=used.tokens_out,
            dollars=cost_of(used, self._agent.config.model, self._agent.config.prices),
            seconds=round(seconds, 3),
            steps=steps,
        )
        store = self._agent.store
        before = sum(isinstance(row.event, CostNoted) for row in store.rows_of(episode))
        store.append([Entry(f"{episode}/spent-{before}", run, episode, spent)])
        self._day.add(spent)

    def _answer(
        self,
        result: EpisodeResult,
        started: EpisodeStarted,
        telling: Telling,
        used: Usage,
        seconds: float,
    ) -> Answer:
        stopped = ""
        text = answer_in(result.actions)
        if result.waiting is not None:
            text = f"A person has to approve this first: {result.waiting.call}"
        elif text is None:
            over = result.reason.startswith(f"{BudgetSpent.__name__}: ")
            if result.reason and not over:
                raise Unanswered(f"{result.episode}: {result.reason}")
            stopped = result.reason.partition(": ")[2] or (
                f"{len(result.actions)} steps were taken, which is all that may be"
            )
            text = partial(stopped, telling.calls)
        return Answer(
            id=result.episode,
            text=text,
            outcome=result.outcome,
            thread=started.thread,
            namespace=started.namespace,
            calls=tuple(telling.calls),
            waiting=result.waiting,
            stopped=stopped,
            cost=AnswerCost(
                tokens_in=used.tokens_in,
                cached=used.cached,
                tokens_out=used.tokens_out,
                dollars=cost_of(used, self._agent.config.model, self._agent.config.prices),
                seconds=round(seconds, 3),
                steps=len(result.actions),
            ),
        )

    async def _checked(self, answer: Answer, request: str) -> Answer:
        """Ask the judge, where there is one and the answer is whole."""
        judge = self._judge
        if judge is None or isinstance(judge, str) or answer.waiting or answer.stopped:
            return answer
        try:
            said = await asyncio.to_thread(lambda: awaited(judge(request, answer.text)))
            score = float(said)
            judged(self._agent.store, answer.id, score=score, actor="judge", judge="environment")
        except Exception as error:
            _log.warning("the judge of %s failed, it stays unknown: %s", answer.id, error)
            return answer
        outcome = "success" if score >= 0.5 else "failure"
        return answer.model_copy(update={"outcome": outcome})
