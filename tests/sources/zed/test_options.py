"""What a ZED's URI asks for."""

from pathlib import Path
from typing import Any

import pytest
from nasion.errors import InputError
from nasion.sources.uri import parse_uri
from nasion.sources.zed.options import Camera, Recording, Stream, camera_request, stream_request, svo_request


def test_a_camera_has_1080_lines_30_times_a_second_unless_it_is_said_otherwise() -> None:
    request = camera_request(parse_uri("zed:"))
    assert (request.input, request.size, request.fps) == (Camera(None), 1080, 30)
    assert (request.depth_mode, request.capture_delay_ns, request.stabilization) == (None, 0, 0)
    assert request.self_calibration
    assert request.live


def test_everything_can_be_said() -> None:
    uri = "zed:33445566?size=720&fps=60&depth=neural_light&capture_delay_ms=66.7&self_calibration=0&stabilization=30"
    request = camera_request(parse_uri(uri))
    assert (request.input, request.size, request.fps) == (Camera(33445566), 720, 60)
    assert (request.depth_mode, request.capture_delay_ns) == ("NEURAL_LIGHT", 66_700_000)
    assert (request.self_calibration, request.stabilization) == (False, 30)


def test_a_recording_and_a_stream_have_their_own_size_and_pace(tmp_path: Path) -> None:
    path = tmp_path / "walk.svo2"
    path.touch()
    recording = svo_request(parse_uri(f"svo:{path}?depth=ultra"), path)
    assert (recording.input, recording.size, recording.fps) == (Recording(path), None, None)
    assert recording.depth_mode == "ULTRA"
    assert not recording.live
    stream = stream_request(parse_uri("zed-stream:10.0.0.2:30002"))
    assert (stream.input, stream.size, stream.live) == (Stream("10.0.0.2", 30002), None, True)
    assert stream_request(parse_uri("zed-stream:robot")).input == Stream("robot", 30000)


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("zed:front", "named by its serial number, as on its sticker, not 'front'"),
        ("zed:0", "named by its serial number"),
        ("zed:٣", "named by its serial number"),
        ("zed:?size=480", "size is one of 600, 720, 1080, 1200, not '480'"),
        ("zed:?fps=25", "fps is one of 15, 30, 60, 100, 120, not '25'"),
        ("zed:?depth=nural", "depth is one of neural, neural_light, ultra, quality, performance, neural_plus"),
        ("zed:?depth=nural", "did you mean 'neural'?"),
        ("zed:?capture_delay_ms=-1", "capture_delay_ms is 0 to 500 milliseconds, not '-1'"),
        ("zed:?capture_delay_ms=nan", "capture_delay_ms is 0 to 500"),
        ("zed:?capture_delay_ms=long", "capture_delay_ms is 0 to 500"),
        ("zed:?stabilization=101", "stabilization is 0 (off) to 100, not '101'"),
    ],
)
def test_what_a_camera_cannot_be_asked_is_told(text: str, says: str) -> None:
    with pytest.raises(InputError) as caught:
        camera_request(parse_uri(text))
    assert says in str(caught.value)


@pytest.mark.parametrize(
    "text", ["zed-stream:", "zed-stream::30000", "zed-stream:h:", "zed-stream:h:0", "zed-stream:h:x"]
)
def test_a_stream_has_a_host_and_a_port(text: str) -> None:
    with pytest.raises(InputError, match="expected zed-stream:HOST:PORT"):
        stream_request(parse_uri(text))


def test_a_recording_has_to_be_there(tmp_path: Any) -> None:
    for path, says in ((tmp_path / "none.svo", "does not exist"), (tmp_path, "is not a file")):
        with pytest.raises(InputError, match=says):
            svo_request(parse_uri(f"svo:{path}"), path)
