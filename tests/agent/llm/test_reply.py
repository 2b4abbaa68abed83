"""Conversations with tools over a real loopback server: what servers really send, scripted."""

import json
import logging
from pathlib import Path
from typing import Any

import pytest
from pydantic import BaseModel

from lichen.agent.llm import Message
from lichen.agent.llm.errors import (
    AnswerCut,
    ContextOverflow,
    LLMNonsense,
    LLMRefused,
    LLMUnavailable,
    PromptRefused,
    RequestRefused,
)
from lichen.agent.llm.openai_llm import NOT_NAMED, OpenAILLM, ServerConfig
from lichen.agent.llm.talking import TalkingLLM, ToolUse, Turn
from lichen.envs.tools import ToolSpec

Server = Any  # ScriptedServer of conftest.py
ADD = ToolSpec(
    name="add",
    description="Add two numbers.",
    parameters={
        "type": "object",
        "properties": {"a": {"type": "integer"}, "b": {"type": "integer"}},
        "required": ["a", "b"],
    },
)
ASK = [Turn(role="user", content="What is 2 plus 3?")]
WORDS = [Message(role="user", content="Pick.")]


class Picked(BaseModel):
    """An answer."""

    number: int


def client(server: Server, **config: Any) -> OpenAILLM:
    return OpenAILLM(
        "m", ServerConfig(base_url=server.url, **{"retries": 1, "timeout": 5, **config})
    )


async def test_scripted_tools_go_out_and_parallel_calls_come_back(loopback: Server) -> None:
    loopback.answers(
        loopback.called(("add", {"a": 2, "b": 3}), ("add", "{broken"), content="Both at once.")
    )
    llm = client(loopback)
    assert isinstance(llm, TalkingLLM)
    talk = [
        Turn(role="system", content="Be brief."),
        *ASK,
        Turn(role="assistant", uses=(ToolUse(id="1", name="add", arguments={"a": 1, "b": 1}),)),
        Turn(role="tool", content="2", answers="1"),
    ]
    made = await llm.reply(talk, tools=[ADD], must_call=True)
    assert (made.text, made.finish) == ("Both at once.", "tool_calls")
    assert made.uses[0] == ToolUse(
        id="call_0", name="add", arguments={"a": 2, "b": 3}, text='{"a": 2, "b": 3}'
    )
    assert (made.uses[1].arguments, made.uses[1].text) == (None, "{broken")
    sent = loopback.asked[0]
    assert sent["tool_choice"] == "required"
    assert sent["tools"][0]["function"]["parameters"] == ADD.parameters
    assert [m["role"] for m in sent["messages"]] == ["system", "user", "assistant", "tool"]
    assert sent["messages"][3]["tool_call_id"] == "1"
    assert json.loads(sent["messages"][2]["tool_calls"][0]["function"]["arguments"]) == {
        "a": 1,
        "b": 1,
    }


async def test_scripted_names_of_tools_that_the_api_does_not_take_come_back_as_they_were(
    loopback: Server,
) -> None:
    spec = ADD.model_copy(update={"name": "shop.größe"})
    loopback.answers(lambda body: loopback.called((body["tools"][0]["function"]["name"], {})))
    made = await client(loopback).reply(ASK, tools=[spec])
    assert loopback.asked[0]["tools"][0]["function"]["name"] == "shop_gr__e_18edae"
    assert made.uses[0].name == "shop.größe"


@pytest.mark.parametrize(
    ("message", "text", "reasoning"),
    [
        ({"content": "5", "reasoning_content": "2+3"}, "5", "2+3"),
        ({"content": "5", "reasoning": "2+3"}, "5", "2+3"),
        ({"content": "<think>2+3</think>\n5"}, "5", "2+3"),
        ({"content": [{"type": "text", "text": "5"}]}, "5", ""),
        ({"content": None, "reasoning_content": "2+3"}, "", "2+3"),
    ],
)
async def test_scripted_thoughts_are_kept_apart_from_the_text(
    loopback: Server, message: dict[str, Any], text: str, reasoning: str
) -> None:
    loopback.answers(loopback.said(**message))
    made = await client(loopback).reply(ASK)
    assert (made.text, made.reasoning) == (text, reasoning)


async def test_scripted_parameters_that_are_refused_are_left_out_once_and_for_all(
    loopback: Server, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    def picky(body: dict[str, Any]) -> Any:
        if "max_tokens" in body:
            message = "'max_tokens' is not supported. Use 'max_completion_tokens' instead."
            return loopback.failed(400, message, param="max_tokens", code="unsupported_parameter")
        if "temperature" in body:
            return loopback.failed(400, "Only the default (1) value is supported for temperature")
        if "seed" in body:
            return loopback.failed(422, "{'loc': ['body','seed'], 'msg': 'extra not permitted'}")
        return loopback.said("5")

    loopback.answers(picky)
    kept = tmp_path / "servers.json"
    with caplog.at_level(logging.WARNING):
        assert (await client(loopback, kept=kept).reply(ASK)).text == "5"
        assert (await client(loopback, kept=kept).reply(ASK)).text == "5"
    assert len(loopback.asked) == 5  # three refusals, then it is known, also to another client
    assert loopback.asked[-1].keys() == {"model", "messages", "max_completion_tokens"}
    assert sum("takes no max_tokens, temperature, seed" in r.message for r in caplog.records) == 1


async def test_what_is_kept_of_servers_never_holds_a_key(loopback: Server, tmp_path: Path) -> None:
    loopback.answers(loopback.said("5"))
    url = loopback.url.replace("http://", "http://me:secret@")
    llm = OpenAILLM("m", ServerConfig(base_url=url, kept=tmp_path / "servers.json"), api_key="sk-1")
    await llm.abilities()
    held = (tmp_path / "servers.json").read_text()
    assert "127.0.0.1" in held and "secret" not in held and "sk-1" not in held


async def test_scripted_usage_tells_cached_and_reasoning_tokens(loopback: Server) -> None:
    used = {
        "prompt_tokens": 100,
        "completion_tokens": 9,
        "total_tokens": 109,
        "prompt_tokens_details": {"cached_tokens": 64},
        "completion_tokens_details": {"reasoning_tokens": 7},
    }
    loopback.answers(loopback.said("5", usage=used))
    llm = client(loopback)
    before = llm.usage.copy()
    await llm.reply(ASK)
    spent = llm.usage.minus(before)
    assert (spent.tokens_in, spent.cached, spent.tokens_out, spent.reasoning) == (100, 64, 9, 7)
    assert spent.plus(spent).cached == 128


async def test_scripted_abilities_are_probed_once_and_their_lack_is_said_once(
    loopback: Server, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    loopback.answers(loopback.said("I cannot do that."))  # takes every field, and ignores it
    kept = tmp_path / "servers.json"
    with caplog.at_level(logging.WARNING):
        found = await client(loopback, kept=kept).abilities()
        again = await client(loopback, kept=kept).abilities()
    assert found == again
    assert not (found.tools or found.json_schema or found.top_logprobs) and found.seed
    assert len(loopback.asked) == 2
    assert sum("has no tools, json_schema, top_logprobs" in r.message for r in caplog.records) == 1


async def test_scripted_abilities_of_a_server_that_has_all(loopback: Server) -> None:
    token = {"token": "{", "logprob": -0.1, "bytes": None}
    logprobs = {"content": [{**token, "top_logprobs": [token]}]}
    loopback.answers(
        lambda body: (
            loopback.called(("set_color", {"color": "red"}))
            if "tools" in body
            else loopback.said('{"lamp_state": "lit_red"}', logprobs=logprobs)
        )
    )
    found = await client(loopback).abilities()
    assert found.tools and found.json_schema and found.top_logprobs


async def test_scripted_a_model_that_thinks_too_long_for_a_probe_is_taken_for_able(
    loopback: Server,
) -> None:
    loopback.answers(loopback.said(None, reasoning_content="hm ...", finish="length"))
    found = await client(loopback).abilities()
    assert found.tools and found.json_schema and not found.top_logprobs


async def test_scripted_an_answer_that_was_cut_is_asked_for_once_more_with_room(
    loopback: Server,
) -> None:
    loopback.answers(loopback.said(None, finish="length"), loopback.said("5"))
    llm = client(loopback)
    assert (await llm.reply(ASK, max_tokens=50)).text == "5"
    assert (await llm.reply(ASK, max_tokens=10)).text == "5"
    assert [body["max_tokens"] for body in loopback.asked] == [50, 200, 160]
    loopback.answers(loopback.said("5 and", finish="length"))
    with pytest.raises(AnswerCut, match="cut at max_tokens=200, and again at 400"):
        await llm.reply(ASK, max_tokens=50)


@pytest.mark.parametrize(
    ("status", "message", "code"),
    [
        (400, "This model's maximum context length is 128 tokens.", "context_length_exceeded"),
        (400, "the request exceeds the available context size", None),
        (413, "too large", None),
    ],
)
async def test_scripted_a_conversation_that_is_too_long_is_an_overflow(
    loopback: Server, status: int, message: str, code: str | None
) -> None:
    loopback.answers(loopback.failed(status, message, code=code))
    with pytest.raises(ContextOverflow) as caught:
        await client(loopback).reply(ASK)
    assert caught.value.retryable


async def test_scripted_a_filter_refuses_one_conversation_not_the_run(loopback: Server) -> None:
    loopback.answers(loopback.failed(400, "the content management policy", code="content_filter"))
    with pytest.raises(PromptRefused) as caught:
        await client(loopback).reply(ASK)
    assert caught.value.retryable
    loopback.answers(loopback.said(None, refusal="I can't help", finish="content_filter"))
    with pytest.raises(PromptRefused, match="can't help"):
        await client(loopback).reply(ASK)


async def test_scripted_faults_are_sentences(loopback: Server) -> None:
    answer = type(loopback.said())
    llm = client(loopback, retries=0)
    loopback.answers(answer({"error": {"message": "upstream is overloaded", "code": 502}}))
    with pytest.raises(LLMUnavailable, match="upstream is overloaded"):
        await llm.reply(ASK)
    empty = {"id": "x", "object": "chat.completion", "created": 1, "model": "m", "choices": []}
    loopback.answers(answer(empty))
    with pytest.raises(LLMNonsense, match="without choices"):
        await llm.reply(ASK)
    loopback.answers(answer({**empty, "choices": [{"index": 0, "finish_reason": "stop"}]}))
    with pytest.raises(LLMNonsense, match="without a message"):
        await llm.reply(ASK)
    loopback.answers(loopback.failed(402, "Insufficient credits"))
    with pytest.raises(LLMRefused, match="Insufficient credits"):
        await llm.reply(ASK)


async def test_scripted_429_is_waited_for_as_retry_after_says(loopback: Server) -> None:
    loopback.answers(
        loopback.failed(429, "slow down", headers={"Retry-After": "0"}), loopback.said("5")
    )
    assert (await client(loopback).reply(ASK)).text == "5"
    assert len(loopback.asked) == 2


async def test_scripted_text_is_told_as_it_streams_and_calls_are_put_together(
    loopback: Server,
) -> None:
    def part(index: int, text: str, name: str | None = None) -> dict[str, Any]:
        function = {"name": name, "arguments": text}
        return {"tool_calls": [{"index": index, "id": name and "c1", "function": function}]}

    loopback.answers(
        loopback.streamed(
            {"role": "assistant", "reasoning_content": "hm"},
            {"content": "<thi"},
            {"content": "nk>2 or 3</think>\nIt"},
            {"content": " is"},
            part(0, '{"a": 2', "add"),
            part(0, ', "b": 3}'),
            finish="tool_calls",
        )
    )
    told: list[str] = []
    llm = client(loopback)
    made = await llm.reply(ASK, tools=[ADD], on_text=told.append)
    assert told == ["It", " is"]
    assert (made.text, made.reasoning) == ("It is", "hm\n2 or 3")
    assert made.uses[0].arguments == {"a": 2, "b": 3}
    assert loopback.asked[0]["stream"] is True
    assert (llm.usage.tokens_in, llm.usage.tokens_out) == (7, 4)


async def test_scripted_a_server_that_does_not_stream_is_asked_plainly(loopback: Server) -> None:
    loopback.answers(loopback.said("5"))
    assert (await client(loopback).reply(ASK, on_text=lambda _: None)).text == "5"


@pytest.mark.parametrize(
    "message",
    [
        {"content": '<think>{"number": 2} or {3}?</think>{"number": 1}'},
        {"content": '{"number": 1}\n\nNote: I chose {1} because of {reasons}.'},
        {"content": [{"type": "text", "text": '{"number": 1}'}]},
        {"content": "", "reasoning_content": 'I pick {"number": 1}'},
        {"content": '[{"answer": {"number": 1}}]'},
    ],
)
async def test_scripted_objects_are_found_in_what_models_really_write(
    loopback: Server, message: dict[str, Any]
) -> None:
    loopback.answers(loopback.said(**message))
    assert (await client(loopback).chat(WORDS, schema=Picked)).number == 1
    assert len(loopback.asked) == 1


async def test_scripted_a_json_mode_that_answers_nothing_is_done_without(loopback: Server) -> None:
    loopback.answers(
        lambda body: loopback.said("" if "response_format" in body else '{"number": 1}')
    )
    assert (await client(loopback).chat(WORDS, schema=Picked)).number == 1
    loopback.answers(loopback.said(None, reasoning_content="long ...", finish="length"))
    with pytest.raises(AnswerCut, match="max_tokens=40"):
        await client(loopback).chat(WORDS, schema=Picked, max_tokens=40)


async def test_scripted_the_name_of_a_form_is_one_that_the_api_takes(loopback: Server) -> None:
    from pydantic import RootModel

    loopback.answers(loopback.said('{"number": 1}'))
    await client(loopback).chat(WORDS, schema=RootModel[Picked | None])
    assert (
        loopback.asked[0]["response_format"]["json_schema"]["name"]
        == "RootModel_Union_Picked__NoneType___c64213"
    )


async def test_scripted_a_named_number_is_a_choice_or_what_its_tokens_say(loopback: Server) -> None:
    llm = client(loopback, retries=0)
    loopback.answers(loopback.said('{"number": 2}'))
    assert (await llm.choose("Which?", ["a", "b", "c"])).tolist() == [NOT_NAMED, 0.0, NOT_NAMED]
    assert not llm.scores_choices
    row: dict[str, Any] = {"bytes": None, "top_logprobs": []}
    likely = [{"token": "2", "logprob": -0.2}, {"token": "1", "logprob": -1.9}]
    tokens = [
        {"token": '{"number": ', "logprob": 0.0, **row},
        {"token": "2", "logprob": -0.2, **row, "top_logprobs": likely},
        {"token": "}", "logprob": 0.0, **row},
    ]
    loopback.answers(loopback.said('{"number": 2}', logprobs={"content": tokens}))
    assert (await llm.choose("Which?", ["a", "b", "c"])).tolist() == [-1.9, -0.2, NOT_NAMED]


async def test_scripted_completions_that_break_are_done_without(loopback: Server) -> None:
    loopback.completions = lambda _: loopback.failed(501, "no completions")
    loopback.answers(loopback.said('{"number": 1}'))
    llm = client(loopback, retries=0)
    assert (await llm.choose("Which?", ["a", "b"])).tolist() == [0.0, NOT_NAMED]
    await llm.choose("Which?", ["a", "b"])
    assert sum(path.endswith("/completions") and "chat" not in path for path in loopback.paths) == 1


async def test_scripted_a_fingerprint_needs_no_date_and_no_list_of_models(loopback: Server) -> None:
    stamp = iter(range(9))
    answer = type(loopback.said())
    loopback.models = lambda: answer(
        {"object": "list", "data": [{"id": "m", "object": "model", "created": next(stamp)}]}
    )
    llm = client(loopback)
    assert await llm.fingerprint() == await llm.fingerprint()
    loopback.models = lambda: loopback.failed(404)
    assert len(await llm.fingerprint()) == 64
    loopback.models = lambda: loopback.failed(401)
    with pytest.raises(LLMRefused, match="key"):
        await llm.fingerprint()


async def test_scripted_a_request_that_is_wrong_is_one_episode_s_and_says_the_server_s_words(
    loopback: Server,
) -> None:
    llm = client(loopback, retries=0)
    loopback.answers(loopback.failed(400, "Conversation roles must alternate"))
    with pytest.raises(
        RequestRefused, match="HTTP 400.*: Conversation roles must alternate"
    ) as caught:
        await llm.reply(ASK)
    assert caught.value.retryable  # the run goes on
    loopback.answers(type(loopback.said())({"detail": [{"msg": "no prompt"}]}, 422))
    with pytest.raises(RequestRefused, match="no prompt"):
        await llm.reply(ASK)
    loopback.answers(loopback.failed(400, "The model `x` does not exist", code="model_not_found"))
    with pytest.raises(LLMRefused, match="does not exist"):  # no prompt would pass
        await llm.reply(ASK)
    loopback.answers(loopback.failed(404, "no route here; try /v2"))
    with pytest.raises(LLMRefused, match="no route here; try /v2"):
        await llm.reply(ASK)


async def test_scripted_no_key_and_no_password_is_in_a_sentence(loopback: Server) -> None:
    said = "Incorrect API key provided: mysecretkey and sk-abcdef123456 (Bearer mysecretkey)"
    loopback.answers(loopback.failed(401, said))
    url = loopback.url.replace("http://", "http://me:password@")
    llm = OpenAILLM("m", ServerConfig(base_url=url, retries=0), api_key="mysecretkey")
    with pytest.raises(LLMRefused, match="Incorrect API key provided") as caught:
        await llm.reply(ASK)
    for secret in ("mysecretkey", "sk-abcdef", "password"):
        assert secret not in str(caught.value) and secret not in llm.where


async def test_scripted_what_a_server_breaks_at_is_left_out_where_it_names_it(
    loopback: Server,
) -> None:
    loopback.answers(
        lambda body: (
            loopback.failed(500, "tools param requires --jinja flag")
            if "tools" in body
            else loopback.failed(400, "stream is not supported")
            if body.get("stream")
            else loopback.said("5")
        )
    )
    llm = client(loopback, retries=0)
    heard: list[str] = []
    assert (await llm.reply(ASK, tools=[ADD], on_text=heard.append)).text == "5"
    assert not (await llm.abilities()).tools
    before = len(loopback.asked)
    await llm.reply(ASK, on_text=heard.append)
    assert len(loopback.asked) == before + 1  # it is not asked to stream again


async def test_scripted_text_that_is_no_api_answer_is_quoted(loopback: Server) -> None:
    page = type(loopback.said())(b"<html>Please log in</html>", 200, {"Content-Type": "text/html"})
    loopback.answers(page)
    with pytest.raises(LLMNonsense, match="Please log in"):
        await client(loopback).reply(ASK)


@pytest.mark.parametrize("status", [403, 405, 400, 501])
async def test_scripted_a_list_of_models_that_is_not_there_is_no_fault(
    loopback: Server, status: int
) -> None:
    loopback.models = lambda: loopback.failed(status, "no")
    llm = client(loopback, retries=0)
    assert await llm.fingerprint() == await llm.fingerprint()
    other = OpenAILLM("other", llm.config)
    assert await other.fingerprint() != await llm.fingerprint()


@pytest.mark.parametrize(
    ("text", "answer"),
    [
        ("[THINK]{2}?[/THINK] 1", "1"),
        ("<thought>{2}?</thought>1", "1"),
        ("◁think▷2?◁/think▷1", "1"),
        (
            "<|channel|>analysis<|message|>2?<|end|><|start|>assistant<|channel|>final<|message|>1",
            "1",
        ),
        ("use </reason> in XML", "use </reason> in XML"),
    ],
)
async def test_scripted_thoughts_are_known_by_the_marks_of_many_models(
    loopback: Server, text: str, answer: str
) -> None:
    loopback.answers(loopback.said(text))
    assert (await client(loopback).reply(ASK)).text == answer
    parts = [{"type": "thinking", "thinking": [{"type": "text", "text": "2?"}]}]
    loopback.answers(loopback.said([*parts, {"type": "text", "text": "1"}]))
    assert (await client(loopback).reply(ASK)).text == "1"


async def test_scripted_two_names_that_the_api_does_not_take_stay_two(loopback: Server) -> None:
    specs = [ADD.model_copy(update={"name": name}) for name in ("查询", "退款")]
    loopback.answers(lambda body: loopback.called((body["tools"][1]["function"]["name"], {})))
    made = await client(loopback).reply(ASK, tools=specs)
    assert made.uses[0].name == "退款"
