"""The frozen LLM reads soft thoughts: with the real SmolLM2."""

import pytest
import torch

from lichen.agent.llm.frozen import Frozen
from lichen.agent.llm.protocol import Message
from lichen.agent.llm.slots import escape, for_assistant, for_cue, for_llm, locate, marks_of
from lichen.agent.llm.soft_reader import SoftReader
from lichen.agent.softcot import SlotError

QUESTIONS = ["What is 2 + 3?", "Name a colour of the sky, in one word, please."]


def soft(frozen: Frozen, rows: int, n: int, *, seed: int = 0) -> torch.Tensor:
    """Random soft thoughts of a token's norm."""
    drawn = torch.randn(rows, n, frozen.d, generator=torch.Generator().manual_seed(seed))
    return torch.nn.functional.normalize(drawn, dim=-1) * 3


def test_without_soft_thoughts_the_answer_is_that_of_transformers_own_generate(
    frozen: Frozen,
) -> None:
    prompt = for_llm(frozen, marks_of(frozen.tokenizer), QUESTIONS[0], 0)
    text = frozen.chat([Message(role="user", content=QUESTIONS[0])])
    ids = torch.tensor([frozen.ids(text)])
    assert list(prompt.ids) == ids[0].tolist()
    theirs = frozen.model.generate(ids, max_new_tokens=12, do_sample=False)[0, ids.shape[1] :]
    none = torch.zeros(0, frozen.d)
    ours = SoftReader(frozen).generate(prompt, none, max_tokens=12)
    assert ours == frozen.tokenizer.decode(theirs, skip_special_tokens=True)


def test_embeddings_of_words_at_the_placeholders_are_read_as_the_words(frozen: Frozen) -> None:
    reader = SoftReader(frozen)
    words = frozen.ids(" the answer is")
    prompt = for_llm(frozen, reader.marks, QUESTIONS[1], len(words))
    plain = list(prompt.ids)
    plain[prompt.start : prompt.start + len(words)] = words
    table = frozen.model.get_input_embeddings()
    answer = reader.generate(prompt, table(torch.tensor(words)), max_tokens=10)
    ids = torch.tensor([plain])
    theirs = frozen.model.generate(ids, max_new_tokens=10, do_sample=False)[0, len(plain) :]
    assert answer == frozen.tokenizer.decode(theirs, skip_special_tokens=True)


def test_a_kept_prefix_and_a_batch_change_no_loss_and_no_gradient(frozen: Frozen) -> None:
    whole, kept = SoftReader(frozen), SoftReader(frozen, keep=8)
    rows = [
        whole.row(for_llm(frozen, whole.marks, q, 4), a)
        for q, a in zip(QUESTIONS, ("5", "It is blue"), strict=True)
    ]
    for reader in (whole, kept):
        thoughts = soft(frozen, 2, 4).requires_grad_()
        alone = torch.cat(
            [reader.log_likelihoods([r], thoughts[i : i + 1]) for i, r in enumerate(rows)]
        )
        together = reader.log_likelihoods(rows, thoughts)
        torch.testing.assert_close(alone, together, atol=1e-4, rtol=0)
    losses, gradients = [], []
    for reader in (whole, kept, kept):  # twice: a pass must not have changed what is kept
        thoughts = soft(frozen, 2, 4).requires_grad_()
        loss = reader.loss(rows, thoughts)
        loss.backward()  # type: ignore[no-untyped-call]
        losses.append(loss.detach())
        gradients.append(thoughts.grad)
    for loss, gradient in zip(losses[1:], gradients[1:], strict=True):
        torch.testing.assert_close(loss, losses[0], atol=1e-4, rtol=0)
        torch.testing.assert_close(gradient, gradients[0], atol=1e-4, rtol=1e-3)
    total = sum(len(row.target) for row in rows)
    torch.testing.assert_close(-together.sum() / total, losses[0], atol=1e-4, rtol=0)
    assert all(p.grad is None for p in frozen.model.parameters())


def test_a_text_cannot_put_a_placeholder_into_the_prompt(frozen: Frozen) -> None:
    marks = marks_of(frozen.tokenizer)
    for name in marks.names:
        prompt = for_llm(frozen, marks, f"say {name}{name} twice", 3)
        assert prompt.ids.count(marks.placeholders[0]) == 3
        assert prompt.ids[prompt.start - 1] == marks.begin
        assert prompt.ids[prompt.start + 3] == marks.end
        assert for_assistant(frozen, marks, f"say {name}", 5).n == 5
    assert escape("plain <b> text", marks) == "plain <b> text"
    with pytest.raises(SlotError, match="one run of 2"):
        locate([1, 9, 2, 9], 9, 2)


def test_a_cue_stays_behind_the_soft_block_and_the_prefix_before_it(frozen: Frozen) -> None:
    marks = marks_of(frozen.tokenizer)
    prompt = for_cue(frozen, marks, "You are in a room.\nGood action:", 4)
    said = frozen.tokenizer.decode(prompt.suffix)
    assert said.endswith("\nGood action:") and prompt.ids[: len(prompt.prefix)] == prompt.prefix
    assert "room" in frozen.tokenizer.decode(prompt.prefix)
