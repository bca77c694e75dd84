"""The double refuses what the real SDK refuses, and forgets what the real one forgets."""

import gc
import threading
from typing import Any, List

import numpy as np
import pytest

from tests.doubles.pyzed_double import VERSIONS, Reality, module


@pytest.fixture
def sl(clock: Any) -> Any:
    return module(Reality(clock=clock))


def opened(sl: Any) -> Any:
    camera, parameters = sl.Camera(), sl.InitParameters()
    parameters.coordinate_units = sl.UNIT.METER
    assert camera.open(parameters) is sl.ERROR_CODE.SUCCESS
    return camera


def test_a_picture_is_overwritten_by_the_next_retrieve(sl: Any) -> None:
    camera, mat = opened(sl), sl.Mat()
    camera.grab(sl.RuntimeParameters())
    camera.retrieve_image(mat)
    view = mat.get_data()
    copy = mat.get_data(deep_copy=True)
    assert view.flags.c_contiguous
    camera.grab(sl.RuntimeParameters())
    camera.retrieve_image(mat)
    assert (view[0, 0, 0], copy[0, 0, 0]) == (1, 0)


def test_padded_rows_are_taken_for_pixels_by_get_data(clock: Any) -> None:
    """Contiguous whatever the rows are: so a reader must ask for the bytes of a row."""
    sl = module(Reality(clock=clock, padding=3))
    camera, mat = opened(sl), sl.Mat()
    camera.grab(sl.RuntimeParameters())
    camera.retrieve_image(mat)
    data = mat.get_data()
    assert data.flags.c_contiguous
    assert mat.get_step_bytes() == 4 * (data.shape[1] + 3)
    assert (data[1, 3, :] == data[0, 0, :]).all() or (data[1, :3] == 77).any()


def test_depth_and_picture_are_of_the_last_grab(sl: Any) -> None:
    camera, mat = opened(sl), sl.Mat()
    for number in range(3):
        camera.grab(sl.RuntimeParameters())
        camera.retrieve_measure(mat, sl.MEASURE.DEPTH, sl.MEM.CPU, sl.Resolution(64, 36))
        assert mat.get_data()[5, 5] == np.float32(1 + 0.01 * number)


def test_another_thread_is_refused(sl: Any) -> None:
    camera = opened(sl)
    failures: List[BaseException] = []

    def grab() -> None:
        try:
            camera.grab(sl.RuntimeParameters())
        except RuntimeError as error:
            failures.append(error)

    thread = threading.Thread(target=grab)
    thread.start()
    thread.join()
    assert "another thread" in str(failures[0])


def test_what_is_not_there_is_refused(sl: Any) -> None:
    parameters = sl.InitParameters()
    with pytest.raises(AttributeError):
        parameters.camera_resolutoin = sl.RESOLUTION.HD720
    with pytest.raises(AttributeError):
        _ = parameters.input
    with pytest.raises(TypeError):
        parameters.coordinate_units = 1
    with pytest.raises(AttributeError):
        _ = sl.DEPTH_MODE.NEURAL_ULTRA
    camera = opened(sl)
    with pytest.raises(AssertionError, match="nothing was grabbed"):
        camera.retrieve_image(sl.Mat())
    camera.grab(sl.RuntimeParameters())
    assert camera.retrieve_image(sl.Mat(), sl.VIEW.LEFT, sl.MEM.CPU, sl.Resolution(9999, 10)).name == (
        "INVALID_RESOLUTION"
    )
    with pytest.raises(AssertionError, match="still open"):
        opened(sl)
    camera.close()
    with pytest.raises(AssertionError, match="not open"):
        camera.grab(sl.RuntimeParameters())


@pytest.mark.parametrize("version", VERSIONS)
def test_warnings_rank_below_success_and_failures_above(version: str, clock: Any) -> None:
    codes = module(Reality(version=version, clock=clock)).ERROR_CODE
    assert codes.SUCCESS.value == 0
    assert codes.CAMERA_NOT_DETECTED.value > 0
    assert hasattr(codes, "CORRUPTED_FRAME") == (version != "3.8")
    assert version == "3.8" or codes.CORRUPTED_FRAME.value < 0


def test_depth_beyond_the_range_asked_for_is_infinite_and_lengths_have_the_unit_asked_for(clock: Any) -> None:
    sl = module(Reality(clock=clock, depth=lambda _, w, h: np.linspace(0, 30, w * h, dtype=np.float32).reshape(h, w)))
    camera, parameters, mat = sl.Camera(), sl.InitParameters(), sl.Mat()
    parameters.depth_minimum_distance, parameters.depth_maximum_distance = 300.0, 10000.0
    camera.open(parameters)
    camera.grab(sl.RuntimeParameters())
    camera.retrieve_measure(mat, sl.MEASURE.DEPTH, sl.MEM.CPU, sl.Resolution(64, 36))
    depth = mat.get_data()
    assert depth[0, 0] == -np.inf
    assert depth[-1, -1] == np.inf
    assert 300 <= depth[np.isfinite(depth)].min() < depth[np.isfinite(depth)].max() <= 10000
    assert camera.get_camera_information().camera_configuration.calibration_parameters.get_camera_baseline() == 120


def test_memory_of_a_mat_is_gone_with_it_and_an_array_keeps_neither(sl: Any) -> None:
    camera, mat = opened(sl), sl.Mat()
    camera.grab(sl.RuntimeParameters())
    camera.retrieve_image(mat)
    data = mat.get_data()
    assert (data[0, 0, 3], data.flags.owndata) == (255, False)
    del mat
    gc.collect()
    assert (data == 0xDD).all()


@pytest.mark.parametrize(("version", "takes"), [("4.2", False), ("5.0", False), ("5.4", True)])
def test_memory_is_lent_to_a_mat_by_its_address(clock: Any, version: str, takes: bool) -> None:
    sl = module(Reality(version=version, clock=clock))
    camera, mat, memory = opened(sl), sl.Mat(), np.zeros((36, 64, 4), np.uint8)
    lent = (64, 36, sl.MAT_TYPE.U8_C4, memory.ctypes.data, 256)
    if not takes:
        with pytest.raises(AttributeError, match="encode"):
            mat.init_mat_cpu(*lent)
        return
    mat.init_mat_cpu(*lent)
    camera.grab(sl.RuntimeParameters())
    camera.retrieve_image(mat, sl.VIEW.LEFT, sl.MEM.CPU, sl.Resolution(64, 36))
    assert mat.get_pointer() == memory.ctypes.data
    assert (memory[:, :, 3] == 255).all()
    del mat
    gc.collect()
    assert (memory[:, :, 3] == 255).all()
