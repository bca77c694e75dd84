"""What a scalar means without quotes: a word unless YAML 1.2 says otherwise."""

import math
import re
from typing import Any

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st
from nasion.config.yaml_text import NotYamlError, parse_yaml


@pytest.mark.parametrize(
    "word",
    [
        *("off", "Off", "OFF", "on", "On", "ON", "yes", "Yes", "no", "No", "NO", "y", "n", "tRUE", "none", "None"),
        *(
            "12:30",
            "1:2:3.5",
            "2024-05-01",
            "2001-99-99",
            "2024-05-01T10:00:00Z",
            "1_000",
            "0b11",
            "0x",
            "0o8",
            "=",
            ".",
        ),
        *("1e", "e3", "1.2.3", "192.168.0.1", "-", "+", "0x_", "1,5", "nan", "inf", "-.", "front", "~x", "a:b", "<<<"),
    ],
)
def test_a_word(word: str) -> None:
    assert parse_yaml(f"key: {word}" if word != "-" else "key: '-'") == {"key": word}


@pytest.mark.parametrize(
    ("written", "value"),
    [
        *(("true", True), ("True", True), ("FALSE", False), ("null", None), ("~", None), ("", None), ("Null", None)),
        *(("7", 7), ("+7", 7), ("-0", 0), ("08", 8), ("010", 10), ("0o17", 15), ("0xfF", 255)),
        *(("1e3", 1000.0), ("1E-3", 0.001), ("1.", 1.0), (".5", 0.5), ("-1.5e+3", -1500.0), ("08.5", 8.5)),
        *(
            (".inf", math.inf),
            ("-.INF", -math.inf),
            ("'7'", "7"),
            ('"true"', "true"),
            ("!!str 7", "7"),
            ("!!int '7'", 7),
        ),
    ],
)
def test_a_value(written: str, value: Any) -> None:
    found = parse_yaml(f"key: {written}")["key"]
    assert (type(found), found) == (type(value), value)


def test_no_number_is_a_number() -> None:
    assert math.isnan(parse_yaml(".nan"))


@pytest.mark.parametrize("key", ["on", "off", "no", "yes", "12:30", "2024-05-01"])
def test_keys_are_words_too(key: str) -> None:
    assert parse_yaml(f"{key}: 1") == {key: 1}


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("a: 1\na: 2", "the key 'a' stands twice in line 2, column 1"),
        ("a: {b: 1, 'b': 2}", "the key 'b' stands twice"),
        ("a: [{b: 1, b: 1}]", "the key 'b' stands twice"),
        ("a: !!int maybe", "no int; quote it"),
        ("a: !!timestamp 2001-99-99", "no timestamp; quote it"),
        ("a: !!bool maybe", "no bool; quote it"),
        ("a: " + "9" * 100_000, "no int; quote it"),
        ("a: 0x" + "f" * 100_000, "no int; quote it"),
        ("a: [", "flow"),
        ("a: 1\n---\nb: 2", "single document"),
        ("[" * 5000, ""),
        ("a: \x01", ""),
    ],
)
def test_what_is_none_is_told_in_one_line(text: str, said: str) -> None:
    with pytest.raises(NotYamlError) as caught:
        parse_yaml(text)
    assert said in str(caught.value)
    assert "\n" not in str(caught.value)


def test_keys_taken_from_another_mapping() -> None:
    assert parse_yaml("a: &a {b: 1, c: 2}\nd: {<<: *a, b: 3}")["d"] == {"b": 3, "c": 2}


#: Writers of YAML 1.1 take texts like 0E0 for words and write them without quotes; in YAML 1.2 those are numbers.
TEXTS = st.text(max_size=20).filter(lambda text: not re.fullmatch(r"[-+]?[0-9.]+[eE][-+]?[0-9]+", text))
SCALARS = st.none() | st.booleans() | st.integers() | TEXTS
TREES = st.recursive(
    SCALARS,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(TEXTS, inner, max_size=3),
    max_leaves=8,
)


@given(tree=TREES)
def test_what_others_write_is_read_as_it_was_meant(tree: Any) -> None:
    """PyYAML quotes whatever would be anything but a word in YAML 1.1, and that is more than in 1.2."""
    assert parse_yaml(yaml.safe_dump(tree)) == tree
