"""What DeepStream shows the network is what the view says, or the view is refused."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from nasion.core.views import view_geometry
from nasion.deepstream.geometry import deepstream_geometry
from nasion.settings import View
from typing_extensions import get_args

from tests.doubles import nv_double
from tests.pipeline.conftest import Stage


@pytest.mark.parametrize(("width", "height"), [(1920, 1200), (1920, 1080), (1280, 720), (960, 600)])
@pytest.mark.parametrize("view", get_args(View))
def test_for_every_size_of_a_zed_it_is_the_other_engines_geometry(view: View, width: int, height: int) -> None:
    assert deepstream_geometry(view, width, height) == view_geometry(view, width, height)


@given(view=st.sampled_from(get_args(View)), width=st.integers(2, 4096), height=st.integers(2, 4096))
def test_nvinfer_scales_nothing_a_second_time(view: View, width: int, height: int) -> None:
    """Its rule: an even part of the picture, as large as fits, the aspect ratio kept in whole pixels."""
    try:
        seen = deepstream_geometry(view, width, height)
    except ValueError:
        return
    columns, rows = seen.scaled_width // 2 * 2, seen.scaled_height // 2 * 2
    if seen.input_width * rows / columns <= seen.input_height:
        placed = (seen.input_width, int(seen.input_width * rows / columns))
    else:
        placed = (int(seen.input_height * columns / rows), seen.input_height)
    assert placed == (seen.scaled_width, seen.scaled_height)
    assert {number % 2 for number in (seen.crop_left, seen.crop_top, seen.crop_width, seen.crop_height)} == {0}


@pytest.mark.parametrize(
    ("view", "width", "height", "said"),
    [
        ("fine", 672, 376, "never enlarges a frame of 672 x 376 pixels, and nvinfer would"),
        ("full", 2000, 30, "480 x 6"),
        ("full", 20, 16, "does 1/16 to 16"),
        ("centre", 1, 1, "too small"),
    ],
)
def test_what_it_cannot_show_is_refused(view: View, width: int, height: int, said: str) -> None:
    with pytest.raises(ValueError, match=said):
        deepstream_geometry(view, width, height)


@pytest.mark.parametrize("channels", [3, 4])
@pytest.mark.parametrize(("width", "height"), [(1920, 1080), (1280, 720), (1281, 721), (322, 242)])
@pytest.mark.parametrize("view", ["centre", "full"])
def test_a_dot_is_found_where_it_is(
    stage: Stage, device: nv_double.Reality, view: View, width: int, height: int, channels: int
) -> None:
    assert device.faults == []
    u, v = 0.5 * width + 37.3, 0.5 * height - 21.7
    picture = stage.dot(u, v, width, height, view=view, channels=channels)

    stage.run({"cam0": stage.source([stage.frame(picture)], width, height)}, view=view, engine="deepstream")

    (message,) = stage.messages
    (person,) = message.persons
    assert person.pixel == pytest.approx([u, v], abs=0.5)


@pytest.mark.parametrize("order", [0, 1])
def test_the_channels_come_in_the_order_that_the_nvinfer_file_says(
    stage: Stage, device: nv_double.Reality, tmp_path: Any, order: int
) -> None:
    """The network sees red in its first channel; told that it wants BGR, it is shown blue there."""
    assert device.faults == []
    nvinfer = tmp_path / "net.txt"
    nvinfer.write_text(
        f"[property]\ngie-unique-id=3\nnetwork-type=100\noutput-tensor-meta=1\nonnx-file={stage.model}\n"
        f"infer-dims=3;288;480\nmaintain-aspect-ratio=1\nscaling-filter=1\nmodel-color-format={order}\n"
    )

    stage.run({"cam0": stage.source([stage.frame()])}, nvinfer=str(nvinfer), model=None, engine="deepstream")

    assert len(stage.messages[0].persons) == 1 - order
