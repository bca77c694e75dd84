"""Through crop, scaling and padding: a dot at a known pixel of the frame is found at that pixel."""

from typing import Any

import pytest


@pytest.mark.parametrize("channels", [3, 4])
@pytest.mark.parametrize(("width", "height"), [(1920, 1080), (1280, 720), (641, 361), (322, 242)])
@pytest.mark.parametrize("view", ["centre", "full", "fine"])
def test_a_dot_is_found_where_it_is(stage: Any, view: str, width: int, height: int, channels: int) -> None:
    u, v = 0.5 * width + 37.3, 0.5 * height - 21.7
    picture = stage.dot(u, v, width, height, view=view, channels=channels)

    stage.run({"cam0": stage.source([stage.frame(picture)], width, height)}, view=view)

    (message,) = stage.messages
    (person,) = message.persons
    assert person.pixel == pytest.approx([u, v], abs=0.5)
    assert person.probability > 0.8
    assert person.depth_m == pytest.approx(2.0)


@pytest.mark.parametrize("order", [0, 1])
def test_the_channels_come_in_the_order_that_the_nvinfer_file_says(stage: Any, tmp_path: Any, order: int) -> None:
    """The network sees red in its first channel; told that it wants BGR, it is shown blue there."""
    nvinfer = tmp_path / "net.txt"
    nvinfer.write_text(
        f"[property]\ngie-unique-id=1\nnetwork-type=100\noutput-tensor-meta=1\nonnx-file={stage.model}\n"
        f"infer-dims=3;288;480\nmaintain-aspect-ratio=1\nscaling-filter=1\nmodel-color-format={order}\n"
    )

    stage.run({"cam0": stage.source([stage.frame()])}, nvinfer=str(nvinfer), model=None)

    assert len(stage.messages[0].persons) == 1 - order


def test_the_padding_is_black_also_after_a_larger_picture(stage: Any) -> None:
    """Two cameras of different shape share the network, not the padding."""
    wide = stage.dot(300.0, 60.0, 640, 120)
    tall = stage.dot(60.0, 300.0, 120, 640)

    stage.run(
        {
            "wide": stage.source([stage.frame(wide)] * 3, 640, 120),
            "tall": stage.source([stage.frame(tall)] * 3, 120, 640),
        }
    )

    for camera, u, v in (("wide", 300.0, 60.0), ("tall", 60.0, 300.0)):
        for message in stage.of(camera):
            assert [person.pixel for person in message.persons] == [pytest.approx([u, v], abs=0.5)]
