"""Picture and depth cannot come apart: the depth of a frame, or `unpaired`, and never another frame's."""

import threading
from typing import Any, Dict, Iterator, List, Tuple

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from nasion.core.gates import Hysteresis
from nasion.core.ranging import Ranger
from nasion.core.results import FrameReason, PersonReason
from nasion.core.ring import FrameRing
from nasion.core.views import view_geometry
from nasion.engine.onnx_model import HeatMapModel
from nasion.pipeline.controls import InForce
from nasion.pipeline.flow import Flow
from nasion.pipeline.slip import Slip
from nasion.pipeline.steps import Steps
from nasion.settings import DepthSettings, HysteresisSettings, ImageSettings, JumpSettings
from nasion.sources.frame import Frame, Grab

FRAMES = 6


def test_each_frame_gets_its_own_depth(stage: Any) -> None:
    grabs = [stage.frame(metres=1 + 0.05 * number) for number in range(40)]

    stage.run({"cam0": stage.source(grabs)}, jump={"mode": "off"})

    assert depths(stage.messages) == pytest.approx([1 + 0.05 * number for number in range(40)])


def test_two_cameras_keep_their_own_depth_and_pictures(stage: Any) -> None:
    """The same instants in both, so that only the camera tells them apart."""
    stamps = [stage.frame().stamp for _ in range(25)]

    def frames(u: float, metres: float) -> Iterator[Grab]:
        for stamp in stamps:
            made = stage.frame(stage.dot(u=u), metres)
            yield Frame(made.picture, made.depth, made.calibration, stamp)

    stage.run({"front": stage.source(frames(60.0, 1.5)), "rear": stage.source(frames(240.0, 4.5))})

    for camera, u, metres in (("front", 60.0, 1.5), ("rear", 240.0, 4.5)):
        messages = stage.of(camera)
        assert len(messages) == len(stamps)
        assert depths(messages) == pytest.approx([metres] * len(stamps))
        assert [message.persons[0].pixel[0] for message in messages] == pytest.approx([u] * len(stamps), abs=0.5)


def test_a_frame_in_work_keeps_its_depth_however_many_come_meanwhile(stage: Any) -> None:
    """A hundred newer frames arrive while the network has the first one."""
    publishing, all_shown = threading.Event(), threading.Event()

    def grabs() -> Iterator[Grab]:
        yield stage.frame(metres=1.0)
        assert publishing.wait(60)
        for number in range(100):
            yield stage.frame(metres=2.0 + 0.01 * number)
        all_shown.set()

    def on_message(message: Any) -> None:
        stage.messages.append(message)
        publishing.set()
        assert all_shown.wait(60)

    summary = stage.run({"cam0": stage.source(grabs(), live=True)}, on_message=on_message, jump={"mode": "off"})

    assert depths(stage.messages)[0] == pytest.approx(1.0)
    assert depths(stage.messages)[-1] == pytest.approx(2.99)
    assert "unpaired" not in summary.cameras["cam0"].drops


def test_stamps_that_repeat_or_go_back_do_not_mix_frames_up(stage: Any) -> None:
    first = stage.frame()
    grabs = [
        Frame(first.picture, stage.frame(metres=1 + 0.1 * n).depth, first.calibration, first.stamp) for n in range(9)
    ]

    stage.run({"cam0": stage.source(reversed(grabs))}, jump={"mode": "off"})

    assert depths(stage.messages) == pytest.approx([1 + 0.1 * number for number in reversed(range(9))])


def depths(messages: List[Any]) -> List[float]:
    """Of the frames; a busy machine may have called a waiting camera silent meanwhile."""
    return [message.persons[0].depth_m for message in messages if message.reason is not FrameReason.NO_FRAME]


class Nowhere:
    """An outlet that keeps the slips."""

    def __init__(self) -> None:
        self.slips: List[Slip] = []

    def result(self, slip: Slip, _located: Any, _frame: Any) -> None:
        self.slips.append(slip)


@pytest.fixture(scope="module")
def model(spot_model: Any) -> HeatMapModel:
    return HeatMapModel(spot_model, height=288, width=480, threads=1)


#: When the depth of each frame comes: before which step of which frame (0 is before everything), how often.
arrivals = st.lists(st.tuples(st.integers(0, FRAMES - 1), st.integers(0, 4 * FRAMES)), max_size=3 * FRAMES)


@given(arrivals=arrivals)
@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_depth_that_comes_late_early_twice_or_never_is_the_right_one_or_none(
    stage: Any, model: HeatMapModel, arrivals: List[Tuple[int, int]]
) -> None:
    frames = [stage.frame(metres=1.0 + number) for number in range(FRAMES)]
    ring: FrameRing[Frame] = FrameRing(4)
    slips: FrameRing[Slip] = FrameRing(64)
    flow, outlet = Flow(), Nowhere()
    steps = steps_over(stage, model, ring, slips, flow, outlet)
    due: Dict[int, List[int]] = {}
    for number, before in arrivals:
        due.setdefault(before, []).append(number)
    picture = stage.dot(u=225.0, v=120.0, width=480, height=270)

    def prepare_and_infer(pts: int) -> None:
        steps.prepare(pts, picture, "RGB")
        steps.infer(pts, model.infer)

    tick = 0
    for number, frame in enumerate(frames):
        slips.put(number, Slip(frame.stamp, None))
        flow.entered(number)
        for step in (steps.admit, prepare_and_infer, steps.locate, steps.range):
            for depth_of in due.get(tick, ()):
                ring.put(depth_of, frames[depth_of])
            step(number)
            tick += 1
        steps.publish(number)

    assert len(outlet.slips) == FRAMES
    unpaired = 0
    for number, slip in enumerate(outlet.slips):
        (person,) = slip.persons
        if person.reason is PersonReason.UNPAIRED:
            assert person.position is None
            unpaired += 1
        else:
            assert person.depth.value == pytest.approx(1.0 + number)
            assert number in [depth_of for depth_of, _ in arrivals]
    assert flow.drops.get("unpaired", 0) == unpaired
    assert flow.processed == FRAMES


def steps_over(stage: Any, model: HeatMapModel, ring: Any, slips: Any, flow: Flow, outlet: Any) -> Steps:
    return Steps(
        metadata=model.metadata,
        geometry=view_geometry("full", 320, 180),
        hysteresis=Hysteresis(HysteresisSettings(), 0.5),
        ranger=Ranger(stage.calibration(), DepthSettings(), JumpSettings(mode="off")),
        in_force=lambda: InForce(0.5, 1, DepthSettings(), JumpSettings(mode="off"), ImageSettings()),
        limit=None,
        read_ahead=False,
        frames=ring,
        slips=slips,
        flow=flow,
        outlet=outlet,
        clock=stage.clock,
    )


def test_a_pts_that_never_went_in_is_counted_and_says_nothing(stage: Any, model: HeatMapModel) -> None:
    flow, outlet = Flow(), Nowhere()
    steps = steps_over(stage, model, FrameRing(4), FrameRing(4), flow, outlet)

    assert not steps.admit(17)
    assert outlet.slips == []
    assert flow.drops == {"unknown": 1}
