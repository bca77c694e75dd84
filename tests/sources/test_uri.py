"""A URI is taken apart or refused in one line that says what is known."""

import string

import pytest
from hypothesis import given
from hypothesis import strategies as st
from nasion.errors import InputError
from nasion.sources.uri import FORMS, parse_uri

WORD = st.text(string.ascii_lowercase, min_size=1, max_size=8)


@pytest.mark.parametrize(
    ("text", "scheme", "target", "options"),
    [
        ("demo:", "demo", "", {}),
        ("demo:?size=1080&frames=9", "demo", "", {"size": "1080", "frames": "9"}),
        ("pairs:/data/walk", "pairs", "/data/walk", {}),
        ("SBS:walk.avi?rectified=1", "sbs", "walk.avi", {"rectified": "1"}),
        ("sbs:a b.avi?calibration=/x%20y/SN1.conf", "sbs", "a b.avi", {"calibration": "/x y/SN1.conf"}),
        ("sbs:a.avi?calibration=x+y=z.json", "sbs", "a.avi", {"calibration": "x+y=z.json"}),
        ("walk.avi", None, "walk.avi", {}),
        ("/data/walk.avi?rectified=1", None, "/data/walk.avi", {"rectified": "1"}),
        ("zed-stream:10.0.0.2:30000", "zed-stream", "10.0.0.2:30000", {}),
        ("demo:?", "demo", "", {}),
    ],
)
def test_what_a_uri_says(text: str, scheme: object, target: str, options: object) -> None:
    uri = parse_uri(text)
    assert (uri.text, uri.scheme, uri.target, uri.options) == (text, scheme, target, options)


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("", "a source is missing"),
        ("pairz:x", "unknown kind of source 'pairz'; did you mean 'pairs'?"),
        ("rtsp://x", "unknown kind of source 'rtsp'"),
        ("demo:?size", "NAME=VALUE, found 'size'"),
        ("demo:?=3", "NAME=VALUE, found '=3'"),
        ("demo:?size=720&size=1080", "option 'size' is given twice"),
    ],
)
def test_what_cannot_be_read_is_told(text: str, says: str) -> None:
    with pytest.raises(InputError) as caught:
        parse_uri(text)
    assert says in str(caught.value)
    assert "\n" not in str(caught.value)


@given(st.text(max_size=40))
def test_any_text_is_a_uri_or_an_input_error(text: str) -> None:
    try:
        uri = parse_uri(text)
    except InputError:
        return
    assert uri.text == text
    assert uri.scheme is None or uri.scheme in FORMS


@given(scheme=st.sampled_from(sorted(FORMS)), target=WORD, options=st.dictionaries(WORD, WORD, max_size=4))
def test_what_was_put_together_comes_apart_the_same(scheme: str, target: str, options: "dict[str, str]") -> None:
    query = "&".join(f"{name}={value}" for name, value in options.items())
    uri = parse_uri(f"{scheme}:{target}" + (f"?{query}" if query else ""))
    assert (uri.scheme, uri.target, uri.options) == (scheme, target, options)


def test_an_unknown_option_is_told_with_the_nearest_known_one() -> None:
    with pytest.raises(InputError, match=r"unknown option 'sise'; did you mean 'size'\? \(it has size, frames\)"):
        parse_uri("demo:?sise=720").require_options(["size", "frames"])
    with pytest.raises(InputError, match="it has none"):
        parse_uri("pairs:x?a=1").require_options([])


@pytest.mark.parametrize("value", ["0", "-1", "1.5", "", "ten", "²", "٣"])
def test_a_count_is_a_whole_number_of_at_least_one(value: str) -> None:
    with pytest.raises(InputError, match="frames is a whole number of at least 1"):
        parse_uri(f"demo:?frames={value}").count("frames")


def test_options_have_their_types() -> None:
    uri = parse_uri("demo:?frames=9&size=1080&a=yes&b=0&c=False")
    assert uri.count("frames") == 9
    assert uri.count("none") is None
    assert uri.choice("size", [720, 1080], default=720) == 1080
    assert uri.choice("none", [720, 1080], default=720) == 720
    assert (uri.flag("a"), uri.flag("b"), uri.flag("c"), uri.flag("none")) == (True, False, False, None)
    with pytest.raises(InputError, match="size is one of 1, 2, not '1080'"):
        uri.choice("size", [1, 2], default=1)
    with pytest.raises(InputError, match="size is 1 or 0, not '1080'"):
        uri.flag("size")


@pytest.mark.parametrize("value", ["abc", "²", "-720"])
def test_a_choice_that_is_no_number_is_refused(value: str) -> None:
    with pytest.raises(InputError, match="size is one of 720, 1080"):
        parse_uri(f"demo:?size={value}").choice("size", [720, 1080], default=720)
