"""YAML as configuration needs it: no aliases, no tags of Python's, no depth or number without bound.

A small file can otherwise stand for a huge value: aliases multiply, brackets nest, digits go on.
"""

from typing import Any

import yaml

LARGEST = 1_000_000
"""Characters of a text."""
DEEPEST = 50
_DIGITS = 300
_TAG = "tag:yaml.org,2002:"
_READ = {None, *(_TAG + name for name in ("null", "bool", "int", "float", "str", "seq", "map"))}


class _PlainLoader(yaml.SafeLoader):
    """Refuses what no configuration needs; a date stays the text that it is."""

    yaml_implicit_resolvers = {  # noqa: RUF012
        first: [(tag, pattern) for tag, pattern in found if tag != _TAG + "timestamp"]
        for first, found in yaml.SafeLoader.yaml_implicit_resolvers.items()
    }
    yaml_constructors = {  # noqa: RUF012
        tag: make for tag, make in yaml.SafeLoader.yaml_constructors.items() if tag in _READ
    }

    def __init__(self, text: str) -> None:
        super().__init__(text)
        self._depth = 0

    def compose_node(self, parent: Any, index: Any) -> Any:
        """Compose a node that is no alias and not too deep."""
        if self.check_event(yaml.AliasEvent):
            raise ValueError(f"line {self._here()}: aliases (*name) are not read")
        self._depth += 1
        if self._depth > DEEPEST:
            raise ValueError(f"line {self._here()}: nested deeper than {DEEPEST}")
        try:
            return super().compose_node(parent, index)
        finally:
            self._depth -= 1

    def _here(self) -> int:
        return _line(self.peek_event())  # type: ignore[no-untyped-call]

    def construct_object(self, node: Any, deep: bool = False) -> Any:
        """Make a value; a number is not longer than any that is meant."""
        number = isinstance(node, yaml.ScalarNode) and node.tag.endswith((":int", ":float"))
        if number and len(node.value) > _DIGITS:
            raise ValueError(f"line {_line(node)}: a number has more than {_DIGITS} characters")
        return super().construct_object(node, deep)

    def construct_mapping(self, node: Any, deep: bool = False) -> dict[Any, Any]:
        """Make a mapping whose names are the texts that stand there."""
        found = {}
        for key, value in node.value:
            if not isinstance(key, yaml.ScalarNode):
                raise ValueError(f"line {_line(key)}: a name is a list or a mapping, no text")
            if key.tag == _TAG + "merge":
                raise ValueError(f"line {_line(key)}: merging (<<) is not read")
            found[key.value] = self.construct_object(value, deep)
        return found


def plain_yaml(text: str) -> Any:
    """Return the value of a YAML text; the names in its mappings are texts.

    Raises:
        ValueError: It is none, or holds what is not read; the message is one line.

    >>> plain_yaml("a: 1\\nb: [x, 2020-01-01]")
    {'a': 1, 'b': ['x', '2020-01-01']}
    """
    if len(text) > LARGEST:
        raise ValueError(f"it is longer than {LARGEST:,} characters")
    loader = None
    try:
        loader = _PlainLoader(text)
        return loader.get_single_data()
    except yaml.YAMLError as error:
        said = " ".join(str(error).replace('in "<unicode string>", ', "").split())
        raise ValueError(said) from error
    except (RecursionError, ArithmeticError, TypeError, AttributeError, LookupError) as error:
        raise ValueError(f"it cannot be read: {error}") from error
    finally:
        if loader is not None:
            loader.dispose()


def _line(node: Any) -> int:
    return int(node.start_mark.line) + 1


class _PlainDumper(yaml.SafeDumper):
    def ignore_aliases(self, data: Any) -> bool:
        """Write every value out."""
        return True


def written_yaml(value: Any) -> str:
    """Return a value as YAML that `plain_yaml` reads."""
    return yaml.dump(value, Dumper=_PlainDumper, sort_keys=False, allow_unicode=True, width=100)
