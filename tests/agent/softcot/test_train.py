"""A projection is trained, killed, resumed, saved and refused; the models stay as they are."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch

from lichen.agent.llm.frozen import Frozen, open_frozen
from lichen.agent.llm.slots import for_cue
from lichen.agent.llm.soft_reader import SoftReader
from lichen.agent.softcot import Example, ProjectionConfig, TrainConfig, WrongModels
from lichen.agent.softcot.checkpoint import load, read_card
from lichen.agent.softcot.contrastive import contrastive_loss
from lichen.agent.softcot.controls import CONTROLS, control
from lichen.agent.softcot.soft_assistant import SoftAssistant
from lichen.agent.softcot.train import Trainer
from lichen.agent.softcot.verbal_hints import verbal_hints
from lichen.envs.errors import BadFile, UsageError


def test_eight_answers_that_only_the_assistant_sees_are_all_right_and_swapped_thoughts_at_chance(
    frozen: Frozen, taught: Any
) -> None:
    trainer, secrets = taught.trainer, taught.examples
    assert frozen.identity(again=True) == taught.before
    assert all(p.grad is None for p in frozen.model.parameters())
    with torch.no_grad():
        soft = trainer.projection(trainer.assistant.states([e.seen for e in secrets], 4))
    prompt = for_cue(frozen, trainer.reader.marks, secrets[0].question, 4)

    def right(thoughts: torch.Tensor) -> int:
        said = [trainer.reader.generate(prompt, t, max_tokens=4) for t in thoughts]
        return sum(a.split()[:1] == [e.answer] for a, e in zip(said, secrets, strict=True))

    assert right(soft) == 8
    assert right(control("swapped", soft, seed=0)) <= 1


def test_a_killed_training_goes_on_to_the_same_projection(
    tmp_path: Path, tiny: Frozen, secrets: list[Example]
) -> None:
    config = TrainConfig(n=(2, 4), epochs=3, batch=3, save_every=2)

    def trainer() -> Trainer:
        assistant = SoftAssistant(tiny, tmp_path / "states")
        return Trainer(assistant, tiny, secrets, held_out=secrets[:2], config=config)

    whole = trainer()
    card = whole.run(tmp_path / "whole")

    def kill(done: int, of: int, loss: float) -> None:
        if done == 5:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        trainer().run(tmp_path / "cut", kill)
    with pytest.raises(BadFile, match="training is not done"):
        read_card(tmp_path / "cut")
    again: list[int] = []
    resumed = trainer()
    other = resumed.run(tmp_path / "cut", lambda done, of, loss: again.append(done))
    assert again[0] == 5  # the checkpoint of step 4
    same = {"seconds", "tokens"}
    assert other.model_dump(exclude=same) == card.model_dump(exclude=same)
    assert len(card.losses) == len(card.held_out) == 3
    for ours, theirs in zip(
        whole.projection.state_dict().values(),
        resumed.projection.state_dict().values(),
        strict=True,
    ):
        assert torch.equal(ours, theirs)
    projection, read = load(tmp_path / "cut", tiny, tiny)
    assert read.episodes == tuple(f"e{i}" for i in range(8))
    assert torch.equal(projection.linear.weight, resumed.projection.linear.weight)


def test_other_models_other_settings_and_damage_are_refused(
    tmp_path: Path, tiny: Frozen, tiny_folder: Path, frozen: Frozen, secrets: list[Example]
) -> None:
    config = TrainConfig(n=(2,), epochs=1, batch=8)
    Trainer(SoftAssistant(tiny), tiny, secrets, config=config).run(tmp_path / "a")
    with pytest.raises(WrongModels, match="the LLM .* weights of smollm2-135m is another"):
        load(tmp_path / "a", tiny, frozen)
    other = open_frozen(str(tiny_folder))
    other.tokenizer.chat_template = "{% for m in messages %}{{ m['content'] }}{% endfor %}"
    with pytest.raises(WrongModels, match="the assistant .* template"):
        load(tmp_path / "a", other, tiny)
    cut = Trainer(
        SoftAssistant(tiny), tiny, secrets, config=config.model_copy(update={"epochs": 9})
    )

    def kill(done: int, of: int, loss: float) -> None:
        raise KeyboardInterrupt

    cut.config = cut.config.model_copy(update={"save_every": 1})
    with pytest.raises(KeyboardInterrupt):
        cut.run(tmp_path / "b", lambda done, of, loss: kill(done, of, loss) if done == 2 else None)
    with pytest.raises(WrongModels, match="interrupted training with other"):
        Trainer(SoftAssistant(tiny), tiny, secrets[:4], config=config).run(tmp_path / "b")
    (tmp_path / "a" / "projection.safetensors").write_bytes(b"torn")
    with pytest.raises(BadFile, match="damaged"):
        load(tmp_path / "a", tiny, tiny)
    with pytest.raises(UsageError, match="no example"):
        Trainer(SoftAssistant(tiny), tiny, [])


@pytest.mark.parametrize("keep", [True, False])
def test_kept_states_are_those_computed_anew(tmp_path: Path, tiny: Frozen, keep: bool) -> None:
    seen = ["one text", "another, longer text", "one text"]
    first = SoftAssistant(tiny, tmp_path, keep=keep)
    states = first.states(seen, 3)
    assert states.shape == (3, 3, 32) and first.calls == 2
    again = SoftAssistant(tiny, tmp_path, keep=keep)
    assert torch.equal(again.states(seen, 3), states)
    assert again.calls == (0 if keep else 2)
    for path in tmp_path.glob("*.npy"):  # torn by a kill: computed again, never trusted
        path.write_bytes(path.read_bytes()[:40])
    assert torch.equal(SoftAssistant(tiny, tmp_path, keep=keep).states(seen, 3), states)


def test_paper_mode_learns_in_bfloat16_and_hardly_moves(
    tiny: Frozen, secrets: list[Example]
) -> None:
    def moved(form: ProjectionConfig, config: TrainConfig) -> float:
        trainer = Trainer(SoftAssistant(tiny), tiny, secrets, projection=form, config=config)
        before = trainer.projection.linear.weight.detach().clone()
        trainer.run()
        after = trainer.projection.linear.weight.detach()
        return float((after != before).float().mean())

    paper = TrainConfig.paper().model_copy(update={"epochs": 1})
    assert moved(ProjectionConfig(mode="paper"), paper) < 0.5
    assert moved(ProjectionConfig(), TrainConfig(n=(4,), epochs=1)) > 0.99


def test_controls_have_as_many_vectors_of_the_same_norms_and_none_of_their_own() -> None:
    soft = torch.randn(6, 4, 8, generator=torch.Generator().manual_seed(0)) * 3
    for kind in CONTROLS:
        other = control(kind, soft, seed=1)
        assert other.shape == soft.shape
        torch.testing.assert_close(other.norm(dim=-1), soft.norm(dim=-1))
        cosines = torch.nn.functional.cosine_similarity(other.flatten(1), soft.flatten(1))
        assert float(cosines.max()) < 0.95
        assert torch.equal(other, control(kind, soft, seed=1))


def test_chains_of_thought_are_pushed_apart(tiny: Frozen, secrets: list[Example]) -> None:
    random: Callable[[], torch.Generator] = lambda: torch.Generator().manual_seed(0)  # noqa: E731
    same = torch.ones(3, 2, 4, 8)
    apart = torch.eye(3)[:, None, :, None].expand(3, 2, 3, 8).contiguous()
    alike = contrastive_loss(same, tau=0.05, dropout=0.0, random=random())
    torch.testing.assert_close(alike, torch.tensor(3.0).log())
    assert float(contrastive_loss(apart, tau=0.05, dropout=0.5, random=random())) < 0.01
    config = TrainConfig(n=(2,), epochs=1, batch=4, chains=3)
    trainer = Trainer(SoftAssistant(tiny), tiny, secrets, config=config)
    trainer.run()
    assert trainer.done == 2 and all(p.grad is None for p in tiny.model.parameters())


def test_a_folder_bounds_what_is_held_and_words_are_counted(
    tmp_path: Path, tiny: Frozen, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("lichen.agent.softcot.soft_assistant.HELD", 2)
    texts = [f"text {i}" for i in range(4)]
    bound, free = SoftAssistant(tiny, tmp_path / "states"), SoftAssistant(tiny)
    for _ in range(2):
        assert torch.equal(bound.states(texts, 2), free.states(texts, 2))
    assert (len(bound._held), len(free._held)) == (2, 4) and bound.calls == 4
    assert free.states([], 3).shape == (0, 3, tiny.d)
    reader = SoftReader(tiny)
    assert verbal_hints(tiny, texts, most=2, reader=reader) == verbal_hints(tiny, texts, most=2)
    assert reader.tokens > 0
