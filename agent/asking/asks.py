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

from ...envs.approval import Approval, ApprovalRequest
from ...envs.awaiting import awaited
from ...envs.errors import UsageError
from ...envs.functions import Request
from ...envs.open_requests import OpenRequests, OutsideRequests
from ...envs.tools import Tool
from ...memory.ledger.call_events import ApprovalAsked, ApprovalGiven
from ...memory.ledger.content_id import content_id
from ...memory.ledger.errors import UnknownCase
from ...memory.ledger.events import EpisodeEnded, EpisodeStarted
from ...memory.ledger.ledger import Entry
from ...memory.ledger.namespaces import EVERYONE, checked
from ...memory.recall.case_memory import CaseMemory
from ...memory.store.verdicts import judged
from ..episode.run_episode import run_episode
from ..llm.metering import metered
from ..telemetry.spans import span
from .answer import Answer, AnswerGiven
from .answering import HasEnded, answered
from .around import Around
from .conversation import beginning, checked_thread, episode_in, opening, turns_before
from .opened import Opened
from .spending import Spending, cost_so_far
from .telling import Telling, Told

_log = logging.getLogger(__name__)
Judge = Callable[[str, str], bool | float]
"""Told the request and the answer; says how right it is, in [0, 1]. An async one is awaited."""
OUTSIDE = "-outside"
"""Ends the name of the environment of requests whose tools whoever asks calls."""
MODEL = "model"
"""In the place of a judge: the agent's own model is asked, and marked as a judge that errs."""


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
        self.name = name
        self._requests = OpenRequests(name, tools)
        self._outside = OutsideRequests(f"{name}{OUTSIDE}")
        for requests in (self._requests, self._outside):
            if agent.config.budget.ask.steps is not None:
                requests.max_steps = agent.config.budget.ask.steps
            agent.add(requests)
        self._turns: WeakValueDictionary[str, asyncio.Lock] = WeakValueDictionary()
        self._spending = Spending(agent.store, agent.config)
        self._fingerprint = ""

    async def ask(
        self,
        text: str,
        *,
        namespace: str = EVERYONE,
        thread: str = "",
        around: Around | None = None,
        tell: Told | None = None,
    ) -> Answer:
        """Answer one request.

        Args:
            text: Of the user.
            namespace: Whose it is.
            thread: The conversation that it is a turn of; empty: a request by itself.
            around: What the program says that it comes through.
            tell: Told of what happens meanwhile.

        Raises:
            UsageError: The text is empty, or a name is none.
            Unanswered: The model or something outside did not answer.
        """
        if not text.strip():
            raise UsageError("there is nothing to answer: the request is empty")
        checked(namespace)
        checked_thread(thread)
        if over := self._spending.over:
            nothing = Answer(id="", text=over, stopped=over, thread=thread, namespace=namespace)
            if tell is not None:
                tell(AnswerGiven(answer=nothing))
            return nothing
        ledger = self._agent.store.ledger
        talk = thread or content_id("alone", namespace, text, str(ledger.head()))
        async with self._turn(beginning(namespace, talk)):
            number = ledger.count_episodes(beginning(namespace, talk))
            last = episode_in(namespace, talk, max(0, number - 1))
            if number and (cut := self._cut_off(last, text)):
                began, run = cut
                return await self._run(last, began, number - 1, tell, run=run, around=around)
            episode = episode_in(namespace, talk, number)
            name = (
                self._requests if around is None or around.tools is None else self._outside
            ).name
            started = EpisodeStarted(
                env=name,
                family=name,
                split="train",
                task_id=f"{name}/{episode}",
                goal=text,
                source="own",
                namespace=namespace,
                thread=thread,
            )
            return await self._run(episode, started, number, tell, around=around)

    async def resume(
        self,
        episode: str,
        approval: Approval | None = None,
        *,
        around: Around | None = None,
        tell: Told | None = None,
    ) -> Answer:
        """Go on with a request that waits for a person, or that a kill cut off.

        Args:
            episode: Id of its answer.
            approval: What the person said, or what the call answered that whoever asked made. One that was
                said before is not said again.
            around: What the program says that it comes through.
            tell: Told of what happens meanwhile.

        Raises:
            UnknownCase: No request has this id.
            HasEnded: It has ended.
            UsageError: The call was never asked for, or this is not the one to answer it: a person approves a
                call of the agent's, and whoever asked answers one that it makes itself.
            Unanswered: The model or something outside did not answer.
        """
        began = self.begun(episode)
        outside = self.waits_for_client(began)
        if approval is not None and outside != (approval.answer is not None):
            if outside:
                raise UsageError(f"{episode} waits for what its client's own call answers")
            raise UsageError(f"{episode} waits for a person, not for an answer of its client")
        stem, _, number = episode.rpartition("-")
        async with self._turn(f"{stem}-"):
            rows = list(self._agent.store.rows_of(episode))
            if any(isinstance(row.event, EpisodeEnded) for row in rows):
                raise HasEnded(f"the request {episode} has ended")
            if approval is not None and approval.number is not None:
                said = sum(isinstance(row.event, ApprovalGiven) for row in rows)
                if approval.number > said:
                    raise UsageError(f"{episode} did not ask for its call {approval.number}")
                approval = approval if approval.number == said else None
            return await self._run(
                episode, began, int(number), tell, approval, rows[0].run, around=around
            )

    def waits_for_client(self, began: EpisodeStarted) -> bool:
        """Return whether the calls of a request are made by whoever asked."""
        return began.env == self._outside.name

    def _cut_off(self, episode: str, text: str) -> tuple[EpisodeStarted, str] | None:
        """Return how the last turn of a conversation began, and its run, where it asks the same and goes on."""
        rows = list(self._agent.store.rows_of(episode))
        if any(isinstance(row.event, EpisodeEnded) for row in rows):
            return None
        began = self._agent.store.started(episode)
        return (began, rows[0].run) if began is not None and began.goal == text else None

    def begun(self, episode: str) -> EpisodeStarted:
        """Return how a request began.

        Raises:
            UnknownCase: No request has this id.
        """
        if (began := self._agent.store.started(episode)) is not None:
            return began
        raise UnknownCase(f"no request {episode!r} is in {self._agent.store.folder}")

    @asynccontextmanager
    async def _turn(self, conversation: str) -> AsyncIterator[None]:
        """Let the turns of one conversation come one after another."""
        lock = self._turns.setdefault(conversation, asyncio.Lock())
        async with lock:
            yield

    async def _run(
        self,
        episode: str,
        started: EpisodeStarted,
        number: int,
        tell: Told | None,
        approval: Approval | None = None,
        run: str = "",
        *,
        around: Around | None = None,
    ) -> Answer:
        agent, begun, name = self._agent, time.monotonic(), started.env
        requests = self._outside if name == self._outside.name else self._requests
        run = run or await self._opened(name)
        task = requests.open(
            Request(episode, started.goal), self._before(started, number, around)
        ).id
        contracts = None
        if around is not None and requests is self._outside:
            self._outside.bring(task, around.callables)
            contracts = around.contracts(name)
        telling = Telling(tell, episode)
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
                                agent.store,
                                agent.config.retriever,
                                namespace=started.namespace,
                                contracts=contracts,
                            ),
                            learn=True,
                            explores=False,
                            speaks=True,
                            llm_name=self._fingerprint,
                            skills=agent.skills.offered,
                            hints=not started.namespace,  # the gate was measured on everyone's
                            instructions=around.instructions if around is not None else "",
                        ),
                        namespace=started.namespace,
                        thread=started.thread,
                        limits=self._spending.limits(episode, used),
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
                requests.drop(task)
                noting.note(
                    gen_ai__usage__input_tokens=used.tokens_in,
                    gen_ai__usage__output_tokens=used.tokens_out,
                )
                seconds = time.monotonic() - begun
                spent = self._spending.note(episode, run, used, telling.steps, seconds)
        if result.waiting is not None and not result.waiting.outside:
            self._asks_for(result.waiting, episode, run)
        answer = answered(result, started, telling, cost_so_far(agent.store, episode), spent)
        await agent.store.finish()
        answer = await self._checked(answer, started.goal)
        if tell is not None:
            tell(AnswerGiven(answer=answer))
        return answer

    def _asks_for(self, waiting: ApprovalRequest, episode: str, run: str) -> None:
        """Write down that a call waits for a person, so that whoever looks at the store sees it."""
        asked = ApprovalAsked(number=waiting.number, call=waiting.call)
        key = f"{episode}/approval-{waiting.number}-asked"
        self._agent.store.append([Entry(key, run, episode, asked)])

    def _before(self, started: EpisodeStarted, number: int, around: Around | None) -> str:
        """Return the conversation so far: what the program says of it, else what the store remembers."""
        if around is not None:
            return around.opening
        ledger, thread = self._agent.store.ledger, started.thread
        return opening(turns_before(ledger, started.namespace, thread, number)) if thread else ""

    async def _opened(self, name: str) -> str:
        """Return the run that requests of these settings belong to; it is begun once."""
        agent = self._agent
        if not self._fingerprint:
            self._fingerprint = await agent.fingerprint(agent.config.policy.llm)
        event = agent.started("ask", name, self._fingerprint, {})
        run = content_id("ask", event.model_dump_json())
        agent.opened(run, event)
        return run

    async def _checked(self, answer: Answer, request: str) -> Answer:
        """Ask the judge, where there is one and the answer is whole."""
        judge = self._judge
        if judge is None or isinstance(judge, str) or answer.waiting or answer.stopped:
            return answer
        try:
            said = await asyncio.to_thread(lambda: awaited(judge(request, answer.text)))
            verdict = judged(
                self._agent.store,
                answer.id,
                score=float(said),
                actor="judge",
                judge="environment",
            )
        except Exception as error:
            _log.warning("the judge of %s failed, it stays unknown: %s", answer.id, error)
            return answer
        return answer.model_copy(update={"outcome": verdict.outcome})
