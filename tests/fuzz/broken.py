"""Values that should not be there, and things that are nearly right."""

from __future__ import annotations

import copy
import json
from typing import Any, Callable, Tuple, TypeVar

from hypothesis import strategies as st
from nasion.errors import InputError

#: Numbers as a file may hold them, with the ones that break arithmetic.
numbers = st.one_of(
    st.floats(),
    st.integers(),
    st.sampled_from([0, -0.0, 1e308, -1e308, 5e-324, 1e-300, 2**31, 2**63, 10**30, 10**400, -(10**400)]),
)
texts = st.one_of(
    st.text(max_size=12),
    st.sampled_from(
        ["", " ", "~", "yes", "nan", ".inf", "1e999", "demo:", "mqtt://u:secret@h", "\x00", "é", "'", "\n"]
    ),
)
anything = st.recursive(
    st.none() | st.booleans() | numbers | texts,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(texts, inner, max_size=3),
    max_leaves=6,
)

Place = Tuple[Any, ...]
Found = TypeVar("Found")


def places(tree: Any, at: Place = ()) -> list[Place]:
    """Where something stands in a tree of dictionaries and lists."""
    found: list[Any] = [at] if at else []
    items = tree.items() if isinstance(tree, dict) else enumerate(tree) if isinstance(tree, list) else ()
    for key, inner in items:
        found += places(inner, (*at, key))
    return found


@st.composite
def damaged(draw: st.DrawFn, whole: Any) -> Any:
    """``whole`` with one to three things replaced, removed, added or renamed."""
    tree = copy.deepcopy(whole)
    for _ in range(draw(st.integers(1, 3))):
        there = places(tree)
        if not there:
            break
        place = draw(st.sampled_from(there))
        node = tree
        for step in place[:-1]:
            node = node[step]
        what = draw(st.sampled_from(["replace", "replace", "remove", "add", "rename"]))
        if what == "replace":
            node[place[-1]] = draw(anything)
        elif what == "remove":
            del node[place[-1]]
        elif isinstance(node, dict) and what == "rename" and isinstance(place[-1], str):
            node[place[-1] + draw(st.sampled_from(["_", "s", " "]))] = node.pop(place[-1])
        elif isinstance(node, dict):
            node[draw(texts)] = draw(anything)
        else:
            node.append(draw(anything))
    return tree


@st.composite
def spoilt(draw: st.DrawFn, whole: str) -> bytes:
    """A file's text with a few bytes changed, cut out or put in."""
    raw = bytearray(whole.encode())
    for _ in range(draw(st.integers(1, 4))):
        at = draw(st.integers(0, len(raw)))
        raw[at : at + draw(st.integers(0, 6))] = draw(st.binary(max_size=6))
    return bytes(raw)


def as_json(value: Any) -> str:
    """As Python writes it, with NaN and Infinity, which is no JSON but is met in files."""
    return json.dumps(value)


def outcome(read: Callable[..., Found], *arguments: Any, hides: str | None = None) -> Found | None:
    """What was read; None where it was refused in one line, that never has ``hides``. Anything else fails the test."""
    try:
        return read(*arguments)
    except InputError as error:
        said = str(error)
    assert one_line(said), said
    assert hides is None or hides not in said
    return None


def one_line(text: str) -> bool:
    """Whether it is a message for people: something, and in one line."""
    return bool(text.strip()) and not set(text) & {"\n", "\r"}
