"""What is drawn is drawn into the picture that goes on."""

from __future__ import annotations

from pathlib import Path
from typing import Any, Callable

import cv2
import numpy as np
import pytest
from nasion.show.overlay import REFUSED, VALID

Make = Callable[..., Path]


def shown(player: Any, text: str, tmp_path: Path) -> np.ndarray[Any, Any]:
    """The last picture of a pipeline, BGR."""
    played = player.play(f"{text} ! videoconvert ! pngenc ! multifilesink location={tmp_path}/%d.png")
    assert played.error is None
    picture = cv2.imread(str(max(tmp_path.glob("*.png"))))
    assert picture is not None
    return picture


def has(picture: np.ndarray[Any, Any], colour: tuple[int, int, int]) -> bool:
    return bool((np.abs(picture.astype(int) - colour).max(axis=2) < 40).sum() > 5)


@pytest.mark.parametrize("kind", ["BGR", "BGRx"])
def test_the_distance_is_drawn_where_the_person_is(
    player: Any, record: Make, spot_model: Path, tmp_path: Path, kind: str
) -> None:
    line = f"nasionsrc uri=rgbd:{record()} ! videoconvert ! video/x-raw,format={kind} ! nasioninfer model={spot_model}"
    picture = shown(player, f"{line} ! nasionlocate ! nasionrange ! nasionoverlay", tmp_path)

    assert picture.shape == (180, 320, 3)
    assert has(picture[60:100, 165:230], VALID)
    assert not has(picture[60:100, 165:230], REFUSED)


def test_a_refused_distance_has_another_colour(player: Any, record: Make, spot_model: Path, tmp_path: Path) -> None:
    line = f"nasionsrc uri=rgbd:{record()} near-m=5 ! nasioninfer model={spot_model}"
    picture = shown(player, f"{line} ! nasionlocate ! nasionrange ! nasionoverlay", tmp_path)

    # The label beside the point: the heat map has every colour.
    assert has(picture[60:100, 165:230], REFUSED)


def test_pictures_from_elsewhere_show_who_is_there_without_distance(
    player: Any, spot_model: Path, tmp_path: Path
) -> None:
    """And every other branch of the pipeline keeps its own, untouched picture."""
    plain = tmp_path / "plain"
    drawn = tmp_path / "drawn"
    plain.mkdir()
    drawn.mkdir()
    played = player.play(
        f"videotestsrc num-buffers=1 pattern=red ! video/x-raw,format=BGR,width=322,height=182 ! tee name=t "
        f"t. ! queue ! nasioninfer model={spot_model} ! nasionlocate ! nasionoverlay ! videoconvert ! pngenc "
        f"! multifilesink location={drawn}/%d.png  t. ! queue ! videoconvert ! pngenc "
        f"! multifilesink location={plain}/%d.png"
    )

    assert played.error is None
    untouched = cv2.imread(str(plain / "0.png"))
    marked = cv2.imread(str(drawn / "0.png"))
    assert untouched is not None
    assert marked is not None
    assert (untouched == (0, 0, 255)).all()
    assert has(marked, VALID)


def test_rows_may_be_padded_in_any_way(player: Any, spot_model: Path, tmp_path: Path) -> None:
    """A width whose rows GStreamer pads, read and written back at the right places."""
    picture = shown(
        player,
        f"videotestsrc num-buffers=1 pattern=black ! video/x-raw,format=BGR,width=321,height=181 "
        f"! nasioninfer model={spot_model} ! nasionlocate ! nasionoverlay",
        tmp_path,
    )

    assert picture.shape == (181, 321, 3)
    assert (picture[60:] == 0).all()
    assert (picture[:60] > 100).any()
