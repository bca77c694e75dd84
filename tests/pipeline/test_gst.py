"""What GStreamer and its elements say of an error, in one line, whatever they have put into it."""

import ctypes
from typing import Any, Optional

import pytest
from nasion.errors import NasionError
from nasion.pipeline.gst import at_end, load_gst


def said(text: bytes, detail: Optional[bytes]) -> str:
    """What `at_end` makes of an error that an element in C posts."""
    bus = load_gst().Bus()
    glib, gst = ctypes.CDLL("libglib-2.0.so.0"), ctypes.CDLL("libgstreamer-1.0.so.0")
    glib.g_error_new_literal.restype = ctypes.c_void_p
    glib.g_error_new_literal.argtypes = (ctypes.c_uint, ctypes.c_int, ctypes.c_char_p)
    gst.gst_message_new_error.restype = ctypes.c_void_p
    gst.gst_message_new_error.argtypes = (ctypes.c_void_p, ctypes.c_void_p, ctypes.c_char_p)
    gst.gst_bus_post.argtypes = (ctypes.c_void_p, ctypes.c_void_p)
    error = glib.g_error_new_literal(load_gst().library_error_quark(), 1, text)
    gst.gst_bus_post(hash(bus), gst.gst_message_new_error(None, error, detail))
    with pytest.raises(NasionError) as caught:
        at_end(bus, "engine")
    return str(caught.value)


@pytest.mark.parametrize(
    ("text", "detail", "line"),
    [
        (b"no model", b"infer.cpp(1):\nno such file", "no model (no such file)"),
        (b"no model", b"infer.cpp(1):\nno such file\n\n", "no model (no such file)"),
        (b"no model", None, "no model"),
        (b"no model", b"\n", "no model"),
        (b"no\n model", b"", "no model"),
        ("größe".encode(), b"x", "größe (x)"),
        (b"no caf\xe9\n.onnx", b"x", r"no caf\xe9 .onnx"),
        (b"", None, ""),
    ],
)
def test_an_error_is_one_line(text: bytes, detail: Optional[bytes], line: str) -> None:
    assert said(text, detail) == f"engine: GStreamer: {line}"


def test_nothing_on_the_bus_is_no_end() -> None:
    bus: Any = load_gst().Bus()
    assert not at_end(bus, "engine")
