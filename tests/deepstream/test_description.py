"""The pipeline as text: each element and property is one that the releases we name have; GStreamer takes the text."""

from __future__ import annotations

import re
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from gi.repository import GLib
from nasion.core.views import INPUT_SIZES
from nasion.deepstream.description import CameraInput, Element, camera_elements, common_elements, description
from nasion.deepstream.geometry import deepstream_geometry
from nasion.engine.choice import ELEMENTS
from nasion.pipeline.gst import load_gst
from nasion.settings import View
from typing_extensions import get_args

from tests.doubles.nv_double import FACTS, Reality

FILE = Path("/a folder/net.txt")


def camera(view: View = "full", width: int = 1920, height: int = 1080, *, live: bool = True, fps: float = 30.0) -> Any:
    return CameraInput(deepstream_geometry(view, width, height), live, fps)


def all_elements() -> list[Element]:
    cameras = [camera(), camera(live=False, fps=59.94)]
    return [
        *common_elements(cameras, FILE),
        *(element for number, one in enumerate(cameras) for element in camera_elements(number, one)),
    ]


def facts_of(factory: str) -> dict[str, Any] | None:
    names = {"nvstreammux": "nvstreammux (legacy, default)"}
    found: dict[str, Any] | None = FACTS.get(names.get(factory, factory))
    return found


USED = [
    pytest.param(element.factory, key, value, id=f"{element.name}.{key}")
    for element in all_elements()
    for key, value in element.properties.items()
]


@pytest.mark.parametrize(("factory", "key", "value"), USED)
def test_a_property_exists_in_the_oldest_release_and_takes_the_value(factory: str, key: str, value: Any) -> None:
    facts = facts_of(factory)
    if facts is None:
        spec = load_gst().ElementFactory.make(factory).find_property(key)
        assert spec is not None
        return
    about = facts["properties"].get(key)
    if factory == "appsrc" and key == "caps":
        return
    assert about is not None, f"{factory} has no property {key}"
    assert about.get("in_6.3", True)
    assert "since 1.20" not in about.get("note", "")
    if about["type"] == "boolean":
        assert isinstance(value, bool)
    elif about["type"] == "enum":
        assert str(value) in about["enum"] or value in about["enum"].values()
    elif about["type"] == "string":
        assert isinstance(value, str)
    else:
        low, high = about.get("range", (0, 2**32))
        assert isinstance(value, int)
        assert low <= value <= high


@pytest.mark.parametrize("factory", sorted({element.factory for element in all_elements()}))
def test_what_an_element_must_be_told_it_is_told(factory: str) -> None:
    (mandatory,) = [(facts_of(factory) or {}).get("mandatory", [])]
    for element in all_elements():
        if element.factory == factory:
            assert set(mandatory) <= set(element.properties)


def test_all_of_nvidias_elements_are_asked_for_before_the_engine_is_taken() -> None:
    assert {element.factory for element in all_elements() if element.factory.startswith("nv")} == set(ELEMENTS)


@pytest.mark.parametrize("view", get_args(View))
def test_the_pictures_fill_the_networks_input_in_one_direction_and_the_mux_takes_their_size(view: View) -> None:
    mux = common_elements([camera(view)], FILE)[0].properties
    height, width = INPUT_SIZES[view]
    assert mux["width"] == width or mux["height"] == height


def test_the_text_is_this_one() -> None:
    """Read by a person who compares it with the vendor's documentation."""
    lines = description([camera("centre", live=True), camera("centre", 1280, 720, live=False)], FILE).split("\n")
    one_buffer = "max-size-buffers=1 max-size-bytes=0 max-size-time=0"
    appsrc = 'is-live=true format="time" do-timestamp=false block=false max-bytes=0'
    assert lines == [
        "nvstreammux name=mux batch-size=2 width=224 height=224 live-source=true batched-push-timeout=33333 "
        'sync-inputs=false ! nvinfer name=infer config-file-path="/a folder/net.txt" ! '
        f"queue name=searched {one_buffer} ! identity name=results silent=true ! "
        "fakesink name=sink sync=false async=false enable-last-sample=false",
        f"appsrc name=source_0 {appsrc} "
        'caps="video/x-raw,format=BGRx,width=1920,height=896,framerate=30/1" ! '
        f'queue name=newest_0 {one_buffer} leaky="downstream" ! '
        'nvvideoconvert name=crop_0 src-crop="512:0:896:896" interpolation-method=1 ! '
        'capsfilter name=scaled_0 caps="video/x-raw(memory:NVMM),format=RGBA,width=224,height=224" ! mux.sink_0',
        f"appsrc name=source_1 {appsrc} "
        'caps="video/x-raw,format=BGRx,width=1280,height=672,framerate=30/1" ! '
        f'queue name=newest_1 {one_buffer} leaky="no" ! '
        'nvvideoconvert name=crop_1 src-crop="304:0:672:672" interpolation-method=1 ! '
        'capsfilter name=scaled_1 caps="video/x-raw(memory:NVMM),format=RGBA,width=224,height=224" ! mux.sink_1',
    ]


@pytest.mark.parametrize(
    ("fps", "rate"), [(30.0, "30/1"), (30000 / 1001, "30000/1001"), (29.97, "2997/100"), (7.5, "15/2"), (0.0, "30/1")]
)
def test_the_caps_have_a_frame_rate(fps: float, rate: str) -> None:
    assert f"framerate={rate}" in camera_elements(0, camera(fps=fps))[0].text()


@pytest.mark.parametrize("name", ['odd "name".txt', "back\\slash.txt", "a b;c.txt"])
def test_gstreamer_takes_the_text_with_any_path(device: Reality, name: str, tmp_path: Path) -> None:
    assert device.faults == []
    pipeline = load_gst().parse_launch(description([camera(), camera()], tmp_path / name))

    assert pipeline.get_by_name("infer").get_property("config-file-path") == str(tmp_path / name)
    assert pipeline.get_by_name("mux").get_property("batch-size") == 2
    assert pipeline.get_by_name("newest_0").get_property("leaky") == 2


def test_a_property_that_an_element_has_not_is_refused_by_the_double_too(device: Reality) -> None:
    assert device.faults == []
    for wrong in (replace(all_elements()[0], properties={"batch-sise": 1}), Element("nvinfer", "x", {"config": "a"})):
        with pytest.raises(GLib.Error, match="no property"):
            load_gst().parse_launch(wrong.text())


def test_the_facts_are_those_of_the_releases() -> None:
    """A fact says where it is from; the note at the top says how sure it is."""
    for name in ("nvvideoconvert", "nvstreammux (legacy, default)", "nvinfer"):
        for key, about in FACTS[name]["properties"].items():
            assert re.search(r"DeepStream (6\.3|9\.1)", about["from"]), key
