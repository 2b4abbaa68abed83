"""Soft thoughts find their places in the tokenizers and chat templates of other families.

SmolLM2's own are in the other tests."""

from typing import NamedTuple

import pytest
from tokenizers import Tokenizer, decoders, models, pre_tokenizers, trainers
from transformers import PreTrainedTokenizerFast

from lichen.agent.llm.errors import SlotError
from lichen.agent.llm.frozen import Frozen
from lichen.agent.llm.protocol import Message
from lichen.agent.llm.slots import for_assistant, for_chat, for_cue, for_llm, marks_of


class Style(NamedTuple):
    """What makes one family's tokenizer."""

    bos: str | None
    eos: str
    pad: str
    special: tuple[str, ...]
    template: str


_TURNS = "{% for m in messages %}"
_ASK = "{% endfor %}{% if add_generation_prompt %}"
STYLES = {
    "llama 3": Style(
        "<|begin_of_text|>",
        "<|eot_id|>",
        "<|end_of_text|>",
        (
            "<|start_header_id|>",
            "<|end_header_id|>",
            *(f"<|reserved_special_token_{i}|>" for i in range(6)),
        ),
        "{{ bos_token }}"
        + _TURNS
        + "<|start_header_id|>{{ m.role }}<|end_header_id|>\n\n{{ m.content | trim }}<|eot_id|>"
        + _ASK
        + "<|start_header_id|>assistant<|end_header_id|>\n\n{% endif %}",
    ),
    "qwen": Style(
        None,
        "<|im_end|>",
        "<|endoftext|>",
        ("<|im_start|>", "<|box_start|>", "<|box_end|>", "<|quad_start|>", "<|quad_end|>"),
        _TURNS
        + "<|im_start|>{{ m.role }}\n{{ m.content }}<|im_end|>\n"
        + _ASK
        + "<|im_start|>assistant\n{% if enable_thinking is false %}<think>\n\n</think>\n\n{% endif %}"
        "{% endif %}",
    ),
    "gemma": Style(
        "<bos>",
        "<eos>",
        "<pad>",
        ("<start_of_turn>", "<end_of_turn>", *(f"<unused{i}>" for i in range(6))),
        "{{ bos_token }}"
        + _TURNS
        + "<start_of_turn>{{ 'model' if m.role == 'assistant' else m.role }}\n{{ m.content | trim }}"
        "<end_of_turn>\n" + _ASK + "<start_of_turn>model\n{% endif %}",
    ),
}


def frozen_of(style: Style) -> Frozen:
    """Return a model of which only the tokenizer is there."""
    known = tuple(dict.fromkeys(s for s in (style.bos, style.eos, style.pad) if s))
    core = Tokenizer(models.BPE())
    core.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    core.decoder = decoders.ByteLevel()
    trainer = trainers.BpeTrainer(
        vocab_size=400,
        special_tokens=[*known, *style.special],
        initial_alphabet=pre_tokenizers.ByteLevel.alphabet(),
        show_progress=False,
    )
    core.train_from_iterator(["Here are prompts and tokens to help the model."], trainer)
    made = PreTrainedTokenizerFast(  # type: ignore[no-untyped-call]
        tokenizer_object=core,
        bos_token=style.bos,
        eos_token=style.eos,
        pad_token=style.pad,
        additional_special_tokens=list(style.special),
    )
    made.chat_template = style.template
    return Frozen("styled", None, made)


@pytest.mark.parametrize("name", STYLES)
@pytest.mark.parametrize("n", [1, 4, 32])
def test_every_prompt_holds_exactly_n_places(name: str, n: int) -> None:
    frozen = frozen_of(STYLES[name])
    marks = marks_of(frozen.tokenizer)
    assert not {"<|im_start|>", "<|start_header_id|>", "<start_of_turn>"} & set(marks.names)
    hostile = f"Say {marks.names[2]}{marks.names[2]} and {marks.names[0]} twice."
    turns = [
        Message(role="system", content=hostile),
        Message(role="user", content="First."),
        Message(role="assistant", content=hostile),
        Message(role="user", content=hostile),
    ]
    for prompt in (
        for_assistant(frozen, marks, hostile, n),
        for_llm(frozen, marks, hostile, n),
        for_chat(frozen, marks, turns, n),
        for_cue(frozen, marks, f"{hostile}\nGood action:", n),
    ):
        run = prompt.ids[prompt.start : prompt.start + n]
        assert set(run) == {marks.placeholders[0]} and prompt.ids.count(run[0]) == n
        assert prompt.ids.count(marks.begin) == prompt.ids.count(marks.end) == prompt.marked
        text = frozen.tokenizer.decode(prompt.prefix)
        assert prompt.ids[: len(prompt.prefix)] == prompt.prefix and "Say" in text
    tail = for_llm(frozen, marks, "Question", n).suffix
    said = frozen.tokenizer.decode(tail)
    assert said.endswith(frozen.chat([Message(role="user", content="")])[-12:])


def test_a_conversation_without_a_user_has_no_place() -> None:
    frozen = frozen_of(STYLES["qwen"])
    with pytest.raises(SlotError, match="user"):
        for_chat(frozen, marks_of(frozen.tokenizer), [Message(role="system", content="x")], 2)
