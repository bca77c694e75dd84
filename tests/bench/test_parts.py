"""Every part in miniature, over the real pipeline: it measures what it says, and counts its turns."""

import io
import json
import math
import threading
from pathlib import Path
from typing import Any, Dict, List

import numpy as np
import pytest
from nasion.bench.everything import _MEASURE, measure, parts_named
from nasion.bench.frames import SCENES, SIZES, mapped_frames, scene_frames
from nasion.bench.parts.processes import memory_figures, resident_mib
from nasion.bench.plan import PARTS
from nasion.bench.tables import tables
from nasion.config.nvinfer import default_nvinfer_file
from nasion.errors import DependencyError, InputError
from nasion.sources.demo.scene import DemoScene
from rich.console import Console

from tests.bench.conftest import TINY, MakeBench


class Turns:
    """Counts what a part announces and what it takes."""

    def __init__(self) -> None:
        self.expected = self.taken = 0

    def expect(self, turns: int) -> None:
        self.expected = turns

    def advance(self) -> None:
        self.taken += 1


def measured(make_bench: MakeBench, part: str, **words: Any) -> Dict[str, Any]:
    """The part's figures, as JSON would have them; its turns must be as many as it announced."""
    turns = Turns()
    bench = make_bench(expect=turns.expect, advance=turns.advance, **words)
    done = measure(bench, [part], lambda _: None)
    assert done.failures == {}
    assert turns.taken == turns.expected > 0
    figures: Dict[str, Any] = json.loads(json.dumps(done.parts[part], allow_nan=False))
    text = shown(done.parts)
    assert len(text.splitlines()) > 4
    assert "nan" not in text
    return figures


def shown(parts: Dict[str, Any]) -> str:
    stream = io.StringIO()
    for table in tables(parts):
        Console(file=stream, width=140).print(table)
    return stream.getvalue()


def test_the_scenes_show_a_whole_face_and_nobody() -> None:
    scene = DemoScene(720)
    faces = [scene.truth(index) for index in SCENES["person"]]
    assert all(truth is not None and truth.whole_face and 1 < truth.xyz[2] <= 2 for truth in faces)
    assert [scene.truth(index) for index in SCENES["nobody"]] == [None] * len(SCENES["nobody"])


class TestStages:
    def test_with_the_released_network_the_person_is_mostly_found_and_nobody_is_not(
        self, make_bench: MakeBench
    ) -> None:
        rows = measured(make_bench, "stages", model=None)["rows"]
        assert [(row["height"], row["scene"]) for row in rows] == [
            (height, scene) for height in (720, 1080) for scene in ("person", "nobody")
        ]
        found = [row["located"] / row["frames"] for row in rows]
        assert found[1::2] == [0, 0]
        assert min(found[::2]) >= 0.75

    def test_the_stages_of_a_frame_add_up_to_its_age(self, make_bench: MakeBench) -> None:
        for row in measured(make_bench, "stages")["rows"]:
            assert row["frames"] == TINY.stage_frames
            assert row["cpu_ms"] > 0
            assert {"receive", "wait", "preprocess", "network", "locate", "range", "publish", "total"} == set(
                row["stages_ms"]
            )
            for latency in row["raw_ms"]:
                parts = sum(spent for stage, spent in latency.items() if stage not in ("total", "published"))
                assert parts == pytest.approx(latency["total"])
                assert latency["published"] >= latency["total"]


class TestContests:
    @pytest.mark.parametrize(
        ("part", "names", "reference"),
        [
            ("bare", ["network", "pipeline"], "network"),
            ("peers", ["network", "pipeline", "pipeline, one at a time", "OpenCV loop"], "network"),
            ("models", ["spot, float, 1 thread"], "spot, float, 1 thread"),
        ],
    )
    def test_everybody_takes_as_many_turns(
        self, make_bench: MakeBench, part: str, names: List[str], reference: str
    ) -> None:
        contest = measured(make_bench, part)["by_view"]["centre"]
        assert list(contest["figures"])[: len(names)] == names
        assert contest["reference"] == reference
        for turns in contest["turns"].values():
            assert len(turns) == TINY.rounds
            assert all(turn["frames"] > 0 and turn["wall_s"] > 0 for turn in turns)

    def test_the_pipeline_costs_more_than_its_network_alone(self, make_bench: MakeBench) -> None:
        pipeline = measured(make_bench, "bare")["by_view"]["centre"]["figures"]["pipeline"]
        assert pipeline["cpu_ratio"]["min"] > 1

    def test_released_networks_are_all_there_in_their_precision(self, make_bench: MakeBench) -> None:
        released = sorted(default_nvinfer_file("full").parents[1].glob("weights/*.onnx"))
        contest = measured(make_bench, "models", model=None)["by_view"]["centre"]
        assert {name.split(",")[0] for name in contest["figures"]} == {file.stem for file in released}

    def test_pipeline_and_loop_are_compared_without_their_networks(self, make_bench: MakeBench) -> None:
        contest = measured(make_bench, "peers")["by_view"]["centre"]
        for name in ("pipeline, one at a time", "OpenCV loop"):
            for taken in contest["turns"][name]:
                assert 0 < taken["network_s"] < taken["wall_s"]
        assert list(contest["beyond_network"]["ms"]) == ["pipeline, one at a time", "OpenCV loop"]

    def test_more_cameras_cost_more_in_all(self, make_bench: MakeBench) -> None:
        # So many frames that one jolt of a busy machine does not decide.
        by_mode = measured(make_bench, "cameras", plan=TINY._replace(frames=30))["by_mode"]
        assert list(by_mode) == ["every frame", "live, 30 fps"]
        for contest in by_mode.values():
            assert contest["figures"]["1"]["cost"]["median"] == 1
            assert contest["figures"]["2"]["cost"]["median"] > 1
        # At a camera's pace two give twice as many frames, however fast the machine is.
        at_its_pace = by_mode["live, 30 fps"]["figures"]["2"]["rate_ratio"]
        assert 1.5 < at_its_pace["median"] < 2.5

    def test_sizes_go_from_vga_to_2_2k(self, make_bench: MakeBench) -> None:
        figures = measured(make_bench, "sizes")["figures"]
        assert list(figures) == [f"{width} x {height}" for width, height in SIZES]
        assert list(figures)[::3] == ["672 x 376", "2208 x 1242"]

    def test_what_is_no_yunet_is_refused_in_one_line(self, make_bench: MakeBench, spot_model: Path) -> None:
        done = measure(make_bench(yunet=spot_model), ["peers"], lambda _: None)
        assert done.parts == {}
        assert isinstance(done.failures["peers"], InputError)
        assert str(spot_model) in str(done.failures["peers"])
        assert "\n" not in str(done.failures["peers"])


class TestPaced:
    def test_every_frame_is_processed_or_counted_as_let_go(self, make_bench: MakeBench) -> None:
        rows = measured(make_bench, "paced")["rows"]
        assert [row["depth"] for row in rows] == ["stereo pair", "depth map"]
        for row in rows:
            assert row["frames"] == 15
            assert row["processed"] + sum(row["drops"].values()) == 15
            assert row["latency_ms"]["median"] >= row["network_ms"]["median"]
            assert row["growth_ms_per_min"] is None, "half a second shows no growth"


def test_the_depth_map_says_what_the_pair_says() -> None:
    keypoints = [DemoScene(720).truth(index) for index in SCENES["person"]]
    for pair, mapped, truth in zip(scene_frames(720), mapped_frames(720), keypoints):
        assert truth is not None
        assert mapped.picture is pair.picture
        matched, given = (np.median(frame.depth.patch(truth.u, truth.v, 5)) for frame in (pair, mapped))
        assert given == pytest.approx(truth.xyz[2])
        assert matched == pytest.approx(given, rel=0.02)


class TestProcesses:
    def test_a_real_run_is_timed_to_its_first_message(self, make_bench: MakeBench) -> None:
        startup = measured(make_bench, "startup")
        assert len(startup["raw_s"]) == 1
        assert startup["seconds"]["median"] > 0.05, "no process loads Python, GStreamer and a network faster"

    def test_a_real_run_is_looked_at_while_it_works(self, make_bench: MakeBench) -> None:
        memory = measured(make_bench, "memory")
        assert memory["raw"]["frames"] == list(range(1, TINY.memory_frames))
        assert min(memory["raw"]["mib"]) > 20

    def test_growth_is_that_of_settled_memory(self) -> None:
        frames = list(range(0, 1000, 10))
        mib = [100 + frame / 10 if frame < 300 else 130 + (frame - 300) / 100 for frame in frames]
        figures = memory_figures("full", frames, mib)
        assert figures["growth_mib"] == pytest.approx(10)
        assert figures["mib"]["min"] >= 130

    def test_a_short_look_says_nothing_of_growth(self) -> None:
        assert memory_figures("full", list(range(100)), [100.0 + frame for frame in range(100)])["growth_mib"] is None

    def test_a_process_that_is_gone_has_no_memory(self) -> None:
        assert resident_mib(2**22 + 1) is None

    def test_a_run_that_fails_says_why(self, make_bench: MakeBench, tmp_path: Path) -> None:
        gone = tmp_path / "gone.onnx"
        done = measure(make_bench(model=gone), ["startup"], lambda _: None)
        assert "ended with code 2 after 0 messages" in str(done.failures["startup"])
        assert str(gone) in str(done.failures["startup"])


class TestAll:
    def test_every_part_can_be_measured(self) -> None:
        assert list(_MEASURE) == list(PARTS)

    def test_without_a_broker_the_other_parts_are_measured_all_the_same(
        self, make_bench: MakeBench, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setenv("PATH", "/nowhere")
        monkeypatch.setattr("nasion.mqtt.broker.SYSTEM_FOLDERS", "/nowhere")
        begun: List[str] = []
        done = measure(make_bench(), ["stages", "models"], begun.append)
        assert begun == ["stages", "models"]
        assert list(done.parts) == ["models"]
        assert isinstance(done.failures["stages"], DependencyError)

    def test_who_has_enough_gets_nothing_more(self, make_bench: MakeBench) -> None:
        stop = threading.Event()
        begun: List[str] = []

        def begin(part: str) -> None:
            begun.append(part)
            if part == "paced":
                stop.set()

        done = measure(make_bench(stop=stop), ["models", "paced", "sizes"], begin)
        assert begun == ["models", "paced"]
        assert list(done.parts) == ["models"]
        assert done.failures == {}

    @pytest.mark.parametrize(
        ("given", "parts"),
        [(None, list(PARTS)), ("bare", ["bare"]), ("peers, stages", ["stages", "peers"]), ("bare,,bare", ["bare"])],
    )
    def test_parts_are_chosen_by_name(self, given: str, parts: List[str]) -> None:
        assert parts_named(given) == parts

    @pytest.mark.parametrize("given", ["stage", "bare,peer", "", ","])
    def test_another_name_is_refused(self, given: str) -> None:
        with pytest.raises(InputError, match="known are stages, bare"):
            parts_named(given)


def test_numbers_are_finite(make_bench: MakeBench) -> None:
    figures = measured(make_bench, "models")
    for row in figures["by_view"]["centre"]["figures"].values():
        assert all(math.isfinite(row[name]) for name in ("ms", "cpu_ms"))
