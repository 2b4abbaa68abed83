"""Schemathesis against the server's own OpenAPI: no request of any form is a server error (scripted model)."""

import os
from collections import Counter
from typing import Any

import schemathesis
from hypothesis import HealthCheck, given, settings
from hypothesis.strategies import booleans
from schemathesis.generation import GenerationMode
from schemathesis.specs.openapi.checks import response_schema_conformance

from lichen.agent import Agent, asgi_app
from lichen.agent.doors.http.gate import ServeLimits

from .conftest import running

EXAMPLES = int(os.environ.get("LICHEN_FUZZ", "8"))
"""Of each operation and form; more by hand."""


def test_scripted_no_request_is_a_fault_of_the_server(agent: Agent) -> None:
    with running(asgi_app(agent, limits=ServeLimits(rate=None))) as url:
        schema = schemathesis.openapi.from_url(f"{url}/openapi.json")
        operations: list[Any] = [found.ok() for found in schema.get_all_operations()]  # type: ignore[union-attr]
        assert len(operations) >= 18
        known = agent.ask("Where is 4711?")
        agent.feedback(known, good=True)
        (held,) = agent.store.episodes.values()
        there = {"episode": known.id, "case": held.id, "name": "lichen"}
        statuses = Counter[int]()
        for operation in operations:
            for mode in (GenerationMode.POSITIVE, GenerationMode.NEGATIVE):
                fuzz(operation, mode, there, statuses)
        assert statuses[200] > 50 and statuses[422] > 20, statuses


def fuzz(
    operation: Any, mode: GenerationMode, there: dict[str, str], statuses: Counter[int]
) -> None:
    """Send requests of one operation: of its form, or of none; half of them name what is there."""

    @settings(
        max_examples=EXAMPLES,
        deadline=None,
        derandomize=True,
        database=None,
        suppress_health_check=list(HealthCheck),
    )
    @given(case=operation.as_strategy(generation_mode=mode), real=booleans())
    def sent(case: Any, real: bool) -> None:
        if real:
            case.path_parameters = {n: there.get(n, v) for n, v in case.path_parameters.items()}
        if real and isinstance(case.body, dict):
            replaced = {"model": "lichen", "id": there["episode"]}
            case.body |= {name: v for name, v in replaced.items() if name in case.body}
        answer = case.call(timeout=60)
        statuses[answer.status_code] += 1
        said = f"{case.as_curl_command()}\n{answer.status_code} {answer.text}"
        assert answer.status_code < 500, said
        if answer.status_code < 300:
            case.validate_response(answer, checks=[response_schema_conformance])
        else:
            assert answer.json()["error"], said

    try:
        sent()
    except BaseException as error:
        if type(error).__name__ not in ("Unsatisfiable", "SkipTest", "Skipped"):
            raise
