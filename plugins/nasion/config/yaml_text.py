"""YAML as people mean it: the core schema of YAML 1.2 (chapter 10.3), where only `true` and `false` are truth values.

YAML 1.1, PyYAML's own, takes `off`, `no` and `on` for truth values, `12:30` for 750, `010` for 8 and `1e3` for a word.
"""

import re
from typing import Any, Callable, Dict, Hashable, Optional, Tuple

import yaml

#: The scalars that are no words, most specific first: tag, what it looks like, what it may begin with.
_SCALARS: Tuple[Tuple[str, str, str], ...] = (
    ("null", r"~|null|Null|NULL|", "~nN"),
    ("bool", r"true|True|TRUE|false|False|FALSE", "tTfF"),
    ("int", r"[-+]?[0-9]+|0o[0-7]+|0x[0-9a-fA-F]+", "-+0123456789"),
    ("float", r"[-+]?(\.[0-9]+|[0-9]+(\.[0-9]*)?)([eE][-+]?[0-9]+)?", "-+.0123456789"),
    ("float", r"[-+]?\.(inf|Inf|INF)|\.(nan|NaN|NAN)", "-+."),
    # No part of the schema, but common: keys taken from another mapping.
    ("merge", "<<", "<"),
)
#: The longest number that means one: no setting needs more digits, and reading a million of them takes minutes.
_LONGEST_NUMBER = 400


class NotYamlError(Exception):
    """It is no YAML; the text says what is wrong and where, in one line, and shows nothing of the file."""

    def __init__(self, error: Exception) -> None:
        mark = error.problem_mark or error.context_mark if isinstance(error, yaml.MarkedYAMLError) else None
        #: Line and column, from 0; None where it has no place.
        self.place = None if mark is None else (mark.line, mark.column)
        super().__init__(_fault(error, mark))


class _Loader(yaml.SafeLoader):
    """Plain values only; a key that stands twice is refused where YAML would silently take the last one."""

    def construct_object(self, node: yaml.Node, deep: bool = False) -> Any:
        try:
            return super().construct_object(node, deep)
        except (ValueError, LookupError, AttributeError, TypeError):
            # PyYAML stumbles over what is told to be a number or a date and is none, such as !!timestamp 2001-99-99.
            problem = f"what stands here is no {str(node.tag).rpartition(':')[2]}; quote it where it is a text"
            raise yaml.constructor.ConstructorError(None, None, problem, node.start_mark) from None

    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> Dict[Hashable, Any]:
        seen = set()
        for key, _ in node.value:
            if isinstance(key, yaml.ScalarNode) and key.value in seen:
                problem = f"the key {key.value!r} stands twice"
                raise yaml.constructor.ConstructorError(None, None, problem, key.start_mark)
            seen.add(str(key.value))
        return super().construct_mapping(node, deep)

    def construct_whole_number(self, node: yaml.ScalarNode) -> int:
        text = str(self.construct_scalar(node))
        if len(text) > _LONGEST_NUMBER:
            raise ValueError("too long")
        base = {"0o": 8, "0x": 16}.get(text[:2], 10)
        return int(text, base)


# None of YAML 1.1.
_Loader.yaml_implicit_resolvers = {}
for _tag, _form, _starts in _SCALARS:
    _pattern = re.compile(f"(?:{_form})$")
    # An empty value, `key:`, is null; PyYAML asks for it by "".
    _Loader.add_implicit_resolver(f"tag:yaml.org,2002:{_tag}", _pattern, [*_starts, *([""] if _tag == "null" else [])])
_Loader.add_constructor("tag:yaml.org,2002:int", _Loader.construct_whole_number)


class _LoaderOfWords(_Loader):
    """Every scalar is the text that stands there; an empty one is an empty text."""


_LoaderOfWords.yaml_implicit_resolvers = {}


def parse_yaml(text: str) -> Any:
    """The values of one document; NotYamlError."""
    return _parsed(lambda: yaml.load(text, _Loader))


def parse_words(text: str) -> Any:
    """The same with every value as it is written, for readers that take numbers from texts; NotYamlError."""
    return _parsed(lambda: yaml.load(text, _LoaderOfWords))


def _parsed(load: Callable[[], Any]) -> Any:
    try:
        return load()
    except (yaml.YAMLError, RecursionError, ValueError) as error:
        raise NotYamlError(error) from None


def _fault(error: Exception, mark: Optional[Any]) -> str:
    if not isinstance(error, yaml.MarkedYAMLError):
        return " ".join(str(error).split())
    where = "" if mark is None else f" in line {mark.line + 1}, column {mark.column + 1}"
    return f"{' '.join(text for text in (error.context, error.problem) if text)}{where}"
