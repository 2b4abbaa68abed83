"""The settings: few, each with what it does and what was measured of it."""

import ast
import inspect
import textwrap
from collections.abc import Iterator

import pytest
from pydantic import BaseModel

from lichen.agent import AgentConfig, load_config
from lichen.agent.config import setting_names
from lichen.envs import UnknownName
from lichen.envs.errors import BadFile

MOST = 46


def leaves(model: type[BaseModel], path: str = "") -> Iterator[tuple[str, type[BaseModel]]]:
    """Yield the path of every setting, with the class that holds it."""
    for name, field in model.model_fields.items():
        kind = field.annotation
        if isinstance(kind, type) and issubclass(kind, BaseModel):
            yield from leaves(kind, f"{path}{name}.")
        else:
            yield f"{path}{name}", model


def said(model: type[BaseModel]) -> dict[str, str]:
    """Return the text under each field of a class."""
    body = ast.parse(textwrap.dedent(inspect.getsource(model))).body[0]
    assert isinstance(body, ast.ClassDef)
    found = {}
    for field, text in zip(body.body, body.body[1:], strict=False):
        if isinstance(field, ast.AnnAssign) and isinstance(field.target, ast.Name):
            doc = text.value if isinstance(text, ast.Expr) else None
            found[field.target.id] = str(doc.value) if isinstance(doc, ast.Constant) else ""
    return found


def test_there_are_no_more_settings_than_these() -> None:
    names = [name for name, _ in leaves(AgentConfig)]
    assert len(names) == len(set(names)) <= MOST


def test_each_setting_says_what_it_does_and_what_was_measured() -> None:
    for path, model in leaves(AgentConfig):
        text = said(model)[path.rpartition(".")[2]]
        assert len(text) > 20, f"{path} says nothing"
        assert "easure" in text, f"{path} does not say what was measured"


def test_a_setting_that_does_not_exist_gets_a_guess_and_a_renamed_one_its_name_of_now() -> None:
    with pytest.raises(UnknownName, match="did you mean 'policy.votes'"):
        load_config(policy={"votess": 1})
    with pytest.raises(BadFile, match="'policy.beta' is gone: .* estimated"):
        load_config(policy={"beta": 1})
    with pytest.raises(BadFile, match="'retriever.gate' is 'retriever.floor' now"):
        load_config(retriever={"gate": 0.3})
    assert set(setting_names()) == {name for name, _ in leaves(AgentConfig)}
