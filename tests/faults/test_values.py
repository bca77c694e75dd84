"""NaN, infinity and nonsense from the network and in the depth: no position, and a message that is JSON all the same.

The witness reads every message as strict JSON and by the contract; see the fixture.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any, Callable

import numpy as np
import onnx
import pytest
from nasion.engine.metadata import ModelMetadata
from onnx import TensorProto, helper, numpy_helper

from tests.faults.soak.camera import BLIND
from tests.faults.soak.stage import Broker
from tests.faults.soak.witness import Witness


@pytest.mark.parametrize("kind", sorted(BLIND))
def test_no_position_comes_from_depth_that_is_none(
    program: Callable[..., Any], broker: Broker, witness: Witness, until: Any, kind: str
) -> None:
    # Whoever is seen is a person: it is about depth.
    run = program(broker.url, threshold=0.0, mqtt={"max_age_ms": 5000}, depth={"near_m": 0.01, "far_m": 1000})
    until(lambda: any(seen.positions for seen in witness.persons))
    blind_ns = run.tell(f"blind {kind}")
    until(lambda: len([seen for seen in witness.persons if seen.captured_ns > blind_ns]) >= 5)
    blind = [seen for seen in witness.persons if seen.captured_ns > blind_ns]
    assert [seen.positions for seen in blind] == [0] * len(blind)
    assert all(seen.persons for seen in blind)
    back_ns = run.tell("back")
    until(lambda: any(seen.captured_ns > back_ns and seen.positions for seen in witness.persons))
    assert run.stop() == 0


def poisoned(path: Path, value: float) -> Path:
    """A network whose heat map is ``value`` wherever the picture has light, and 0 in the dark."""
    shape: list[Any] = ["n", 3, "h", "w"]
    nodes = [
        helper.make_node("ReduceMax", ["picture"], ["light"], axes=[1], keepdims=1),
        helper.make_node("Greater", ["light", "zero"], ["lit"]),
        helper.make_node("Where", ["lit", "poison", "zero"], ["heat"]),
    ]
    heat: list[Any] = ["n", 1, "h", "w"]
    graph = helper.make_graph(
        nodes,
        "poisoned",
        [helper.make_tensor_value_info("picture", TensorProto.FLOAT, shape)],
        [helper.make_tensor_value_info("heat", TensorProto.FLOAT, heat)],
        [
            numpy_helper.from_array(np.array(0, np.float32), "zero"),
            numpy_helper.from_array(np.array(value, np.float32), "poison"),
        ],
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)
    about = ModelMetadata(
        name="poisoned",
        version="1",
        stride=1,
        sigma_px=4,
        threshold=0.6,
        keypoint="none",
        sizes="any",
        data_digest="none",
        metrics="{}",
        licence="Apache-2.0",
    )
    helper.set_model_props(model, about.to_props())
    onnx.save(model, path)
    return path


@pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf], ids=str)
def test_a_heat_map_that_is_not_finite(
    program: Callable[..., Any], broker: Broker, witness: Witness, until: Any, tmp_path: Path, value: float
) -> None:
    run = program(broker.url, model=str(poisoned(tmp_path / "poisoned.onnx", value)), mqtt={"max_age_ms": 5000})
    until(lambda: len(witness.persons) > 5 and witness.stats is not None)
    assert run.stop() == 0
    camera = run.summary["cameras"]["cam0"]
    assert {seen.reason for seen in witness.persons} == {"no_tensor"}
    assert camera["drops"]["no_tensor"] == camera["processed"]


@pytest.mark.parametrize(
    ("value", "reason"), [(1e30, "no_tensor"), (-1e30, "no_tensor"), (1.01, "no_tensor"), (1e-45, "no_face")]
)
def test_a_heat_map_far_from_0_to_1(
    program: Callable[..., Any],
    broker: Broker,
    witness: Witness,
    until: Any,
    tmp_path: Path,
    value: float,
    reason: str,
) -> None:
    run = program(broker.url, model=str(poisoned(tmp_path / "poisoned.onnx", value)), mqtt={"max_age_ms": 5000})
    until(lambda: len(witness.persons) > 5)
    assert run.stop() == 0
    assert {seen.reason for seen in witness.persons} == {reason}
    assert "Traceback" not in run.log.read_text()
