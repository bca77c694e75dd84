"""Whatever the network and the depth give: a message that is JSON by its schema, and no position from bad depth."""

from __future__ import annotations

import json
import math
from typing import Any

import jsonschema
import numpy as np
import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from hypothesis.extra.numpy import array_shapes, arrays
from nasion.core.calibration import Calibration, Intrinsics
from nasion.core.compose import person_message
from nasion.core.depth import reduce_patch
from nasion.core.locate import locate
from nasion.core.ranging import Ranger
from nasion.core.results import FrameReason, Located, PersonReason
from nasion.core.views import view_geometry
from nasion.mqtt.contract import json_schema
from nasion.settings import DepthSettings, JumpSettings, MountSettings
from nasion.sources.depth_map import DepthMap
from numpy.typing import NDArray

from tests.fuzz.profile import tries

SCHEMA = jsonschema.Draft202012Validator(json_schema("person"))
STRIDE = 4
GEOMETRY = view_geometry("centre", 1280, 720)
ROWS, COLUMNS = GEOMETRY.input_height // STRIDE, GEOMETRY.input_width // STRIDE
CALIBRATION = Calibration(Intrinsics(1280, 720, 1000.0, 1000.0, 640.0, 360.0), 0.12)
DEPTH = DepthSettings()
MOUNT = MountSettings(translation_m=[0.1, 0.0, 0.9], rpy_rad=[0.0, 0.2, 0.1])

#: What a broken inference may put into a cell, and what a good one does.
cells = st.one_of(
    st.floats(0, 1, width=32),
    st.floats(width=32),
    st.sampled_from([0.0, 1.0, 0.7, math.nan, math.inf, -math.inf, 3e38, -3e38, 1e-45, 2.0, -1.0]),
)
#: Metres, and everything that is none.
metres = st.one_of(
    st.floats(0.5, 12, width=32),
    st.floats(width=32),
    st.sampled_from([math.nan, math.inf, -math.inf, 0.0, -0.0, -1.0, 3e38, 1e-45]),
)


@st.composite
def heat_maps(draw: st.DrawFn) -> NDArray[np.float32]:
    """A background, blobs of any height, and single cells of any value; now and then of another shape, or empty."""
    if draw(st.integers(0, 9)) == 0:
        return draw(arrays(np.float32, array_shapes(min_dims=0, max_dims=4, min_side=0, max_side=5), elements=cells))
    heat = np.full((ROWS, COLUMNS), draw(cells), np.float32)
    rows, columns = np.mgrid[:ROWS, :COLUMNS]
    with np.errstate(all="ignore"):
        for _ in range(draw(st.integers(0, 3))):
            row, column = draw(st.floats(-3, ROWS + 3)), draw(st.floats(-3, COLUMNS + 3))
            width = draw(st.floats(0.3, 12))
            blob = draw(cells) * np.exp(-((rows - row) ** 2 + (columns - column) ** 2) / (2 * width**2))
            heat = np.fmax(heat, blob.astype(np.float32))
    for _ in range(draw(st.integers(0, 4))):
        heat[draw(st.integers(0, ROWS - 1)), draw(st.integers(0, COLUMNS - 1))] = draw(cells)
    return heat


@st.composite
def depth_maps(draw: st.DrawFn) -> NDArray[np.float32]:
    """Mostly one depth, with spots of others; of any size."""
    shape = draw(st.sampled_from([(720, 1280), (720, 1280), (7, 5), (1, 1), (0, 0), (0, 3)]))
    depth = np.full(shape, draw(metres), np.float32)
    for _ in range(draw(st.integers(0, 3))):
        rows, columns = (slice(draw(st.integers(0, side)), draw(st.integers(0, side))) for side in shape)
        depth[rows, columns] = draw(metres)
    # A salt of other values everywhere, so that also patches are mixed.
    step = draw(st.integers(1, 4))
    depth[::step, :: step + 1] = draw(metres)
    return depth


def searched(heat: NDArray[np.float32], threshold: float, max_persons: int) -> Located:
    """As the pipeline does: a map that is not finite gives nobody; one of another shape never comes so far."""
    if not np.isfinite(heat).all():
        return Located((), FrameReason.NO_TENSOR, None)
    return locate(heat, GEOMETRY, STRIDE, threshold=threshold, max_persons=max_persons, drawn_sigma_px=5.0)


def no_constant(name: str) -> None:
    raise AssertionError(f"{name} is not JSON")


@tries(200, 16_000)
@given(heat=heat_maps(), depth=depth_maps(), threshold=st.floats(0, 1), max_persons=st.integers(1, 4),
       mounted=st.booleans(), patch_px=st.sampled_from([1, 3, 5, 9]))  # fmt: skip
def test_every_frame_gives_a_message_and_no_position_comes_from_bad_depth(
    heat: NDArray[np.float32],
    depth: NDArray[np.float32],
    threshold: float,
    max_persons: int,
    mounted: bool,
    patch_px: int,
) -> None:
    if heat.shape != (ROWS, COLUMNS):
        with pytest.raises(ValueError, match="shape"):
            locate(heat, GEOMETRY, STRIDE, threshold=threshold, max_persons=max_persons, drawn_sigma_px=5.0)
        return
    settings = DEPTH.model_copy(update={"patch_px": patch_px})
    located = searched(heat, threshold, max_persons)
    accessor = DepthMap(depth, settings)
    ranger = Ranger(CALIBRATION, settings, JumpSettings(), MOUNT if mounted else None)

    persons = ranger.range(located, accessor, 1_000)
    message = person_message(
        located,
        persons,
        session="s",
        seq=0,
        camera="cam0",
        frame_id="f",
        captured_ns=1,
        recorded_ns=None,
        published_at_ns=2,
        max_age_ms=200.0,
        latency_ms={"total": 1.0},
    )

    SCHEMA.validate(json.loads(message.to_json(), parse_constant=no_constant))
    for person in message.persons:
        u, v = person.pixel
        seen = accessor.patch(u, v, patch_px)
        good = seen[(seen >= np.float32(settings.near_m)) & (seen <= settings.far_m)]
        enough = good.size >= max(1, settings.min_share * seen.size - 1e-9)
        assert person.valid == (enough and person.reason is None)
        if person.valid:
            assert person.depth_m is not None
            assert settings.near_m * 0.999 <= person.depth_m <= settings.far_m * 1.001
            assert good.min() * 0.999 <= person.depth_m <= good.max() * 1.001
        else:
            assert {person.depth_m, person.range_m} == {None}
            assert (person.position_m, person.covariance_m2) == (None, None)


@tries(300, 14_000)
@given(patch=arrays(np.float32, array_shapes(min_dims=0, max_dims=3, min_side=0, max_side=9), elements=metres),
       reducer=st.sampled_from(["median", "mean"]), share=st.floats(0.01, 1))  # fmt: skip
@example(patch=np.zeros((0, 5), np.float32), reducer="median", share=0.2)
@example(patch=np.full((5, 5), np.float32(0.7)), reducer="mean", share=1.0)
@example(patch=np.full((5, 5), np.float32(3e38)), reducer="mean", share=0.2)
def test_a_patch_gives_a_depth_within_its_limits_or_a_reason(
    patch: NDArray[np.float32], reducer: Any, share: float
) -> None:
    settings = DepthSettings(reducer=reducer, min_share=share)
    if patch.ndim != 2 or patch.size == 0:
        with pytest.raises(ValueError, match="two-dimensional"):
            reduce_patch(patch, settings)
        return
    reading = reduce_patch(patch, settings)
    good = patch[(patch >= settings.near_m) & (patch <= settings.far_m)]
    assert (reading.count, reading.of) == (good.size, patch.size)
    assert (reading.value is None) != (reading.reason is None)
    if reading.value is not None:
        assert good.size >= max(1, share * patch.size - 1e-9)
        assert good.min() * 0.999 <= reading.value <= good.max() * 1.001
    else:
        assert reading.reason in (PersonReason.NO_DEPTH, PersonReason.TOO_NEAR, PersonReason.TOO_FAR)
    assert reading.spread is None or (math.isfinite(reading.spread) and reading.spread >= 0)


@tries(200, 7_000)
@given(depth=depth_maps(), u=st.floats(-50, 2000), v=st.floats(-50, 2000), size=st.sampled_from([1, 3, 5, 21]))
def test_a_patch_has_its_size_wherever_it_is_asked_for(
    depth: NDArray[np.float32], u: float, v: float, size: int
) -> None:
    patch = DepthMap(depth, DEPTH).patch(u, v, size)
    assert patch.shape == (size, size)
    finite = patch[np.isfinite(patch)]
    assert ((finite >= np.float32(DEPTH.near_m)) & (finite <= DEPTH.far_m)).all()
