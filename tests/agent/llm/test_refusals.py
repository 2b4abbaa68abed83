"""What a server refuses is done without, over a real loopback server whose answers are scripted."""

from collections.abc import Callable
from typing import Any

import pytest

from lichen.agent.llm.errors import LLMUnavailable, RequestRefused
from lichen.agent.llm.openai_llm import OpenAILLM, ServerConfig
from lichen.agent.llm.talking import ToolUse, Turn

Server = Any  # ScriptedServer of conftest.py
TALK = [
    Turn(role="system", content="Be brief."),
    Turn(role="user", content="Go."),
    Turn(role="assistant", uses=(ToolUse(id="1", name="go", arguments={}),)),
    Turn(role="tool", content="done", answers="1"),
    Turn(role="user", content="That was that."),
    Turn(role="user", content="And now?"),
]
Messages = list[dict[str, Any]]


def client(server: Server) -> OpenAILLM:
    return OpenAILLM("m", ServerConfig(base_url=server.url, retries=0, timeout=5))


def in_a_row(messages: Messages) -> bool:
    roles = [message["role"] for message in messages]
    return ("user", "user") in zip(roles, roles[1:], strict=False)


@pytest.mark.parametrize(
    ("status", "words", "is_refused"),
    [
        (400, "System role not supported", lambda ms: ms[0]["role"] == "system"),
        (500, "Jinja Exception: System role not supported", lambda ms: ms[0]["role"] == "system"),
        (400, "Developer instruction is not enabled", lambda ms: ms[0]["role"] == "system"),
        (400, "Conversation roles must alternate user/assistant/user/...", in_a_row),
        (
            422,
            [{"loc": ["body", "messages", 2, "content"], "msg": "Input should be a valid string"}],
            lambda ms: any(message["content"] is None for message in ms),
        ),
    ],
)
async def test_scripted_a_template_that_knows_less_gets_a_simpler_conversation_once_and_for_all(
    loopback: Server, status: int, words: Any, is_refused: Callable[[Messages], bool]
) -> None:
    def reply(body: dict[str, Any]) -> Any:
        if is_refused(body["messages"]):
            refusal = loopback.failed(status)
            key = "detail" if isinstance(words, list) else "error"
            return refusal._replace(body={key: words})
        return loopback.said("hi")

    loopback.answers(reply)
    llm = client(loopback)
    assert (await llm.reply(TALK)).text == "hi"
    assert (await llm.reply(TALK)).text == "hi"
    assert len(loopback.asked) == 3  # the refusal is remembered
    told = "\n".join(str(message["content"]) for message in loopback.messages())
    assert all(turn.content in told for turn in TALK)


async def test_scripted_a_parameter_is_found_in_a_list_of_details(loopback: Server) -> None:
    details = [{"loc": ["body", "seed"], "msg": "extra fields not permitted", "type": "extra"}]
    loopback.answers(
        lambda body: (
            loopback.failed(422)._replace(body={"detail": details})
            if "seed" in body
            else loopback.said("hi")
        )
    )
    assert (await client(loopback).reply(TALK)).text == "hi"


async def test_scripted_a_limit_that_is_too_large_under_both_names_is_left_out(
    loopback: Server,
) -> None:
    loopback.answers(
        lambda body: (
            loopback.failed(400, "max_tokens is too large: at most 100")
            if {"max_tokens", "max_completion_tokens"} & set(body)
            else loopback.said("hi")
        )
    )
    assert (await client(loopback).reply(TALK)).text == "hi"


@pytest.mark.parametrize(
    ("body", "words"),
    [
        ([{"error": {"code": 400, "message": "Not in your country."}}], "Not in your country."),
        ({"error": "no such thing"}, "no such thing"),
        ({"detail": [{"loc": ["body", "x"], "msg": "is odd"}]}, "body.x: is odd"),
        (b"<html><title>400: Bad gateway</title><p>x</html>", "400: Bad gateway"),
    ],
)
async def test_scripted_the_server_s_own_words_are_told_whatever_their_form(
    loopback: Server, body: Any, words: str
) -> None:
    loopback.answers(loopback.failed(400)._replace(body=body))
    with pytest.raises(RequestRefused, match=words):
        await client(loopback).reply(TALK)


@pytest.mark.parametrize("inside", ["answer", "choice"])
async def test_scripted_an_error_inside_an_answer_is_told_and_claims_no_retries(
    loopback: Server, inside: str
) -> None:
    error = {"error": {"code": 502, "message": "the provider is overloaded"}}
    answer = loopback.said("")
    if inside == "choice":
        answer.body["choices"][0].update(error)
    else:
        answer.body.update(error)
    loopback.answers(answer)
    llm = OpenAILLM("m", ServerConfig(base_url=loopback.url, retries=3))
    with pytest.raises(LLMUnavailable, match="the provider is overloaded") as caught:
        await llm.reply(TALK)
    assert "retries" not in str(caught.value)


async def test_scripted_counts_that_are_no_numbers_count_for_nothing(loopback: Server) -> None:
    used = {"prompt_tokens": None, "completion_tokens": "5", "total_tokens": 1.5}
    loopback.answers(loopback.said("hi", usage=used))
    llm = client(loopback)
    assert (await llm.reply(TALK)).text == "hi"
    assert (llm.usage.tokens_in, llm.usage.tokens_out) == (0, 0)


async def test_scripted_arguments_that_are_written_as_json_twice_are_read(loopback: Server) -> None:
    loopback.answers(loopback.called(("go", '"{\\"place\\": \\"home\\"}"')))
    assert (await client(loopback).reply(TALK)).uses[0].arguments == {"place": "home"}


async def test_scripted_a_bare_list_of_models_is_read(loopback: Server) -> None:
    listed = loopback.models()
    before = await client(loopback).fingerprint()
    loopback.models = lambda: listed._replace(body=listed.body["data"])
    assert await client(loopback).fingerprint() == before
    loopback.models = lambda: listed._replace(body={"data": ["m"]})
    assert await client(loopback).fingerprint() != before
