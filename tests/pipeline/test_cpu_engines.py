"""The same pictures through either engine of a processor: the same places."""

from typing import Any

import pytest


def test_openvino_finds_what_onnx_runtime_finds(stage: Any) -> None:
    found = {}
    for engine in ("onnxruntime", "openvino"):
        stage.messages.clear()
        stage.run({"cam0": stage.source([stage.frame(stage.dot(u=60.0 + 7 * n)) for n in range(8)])}, engine=engine)
        assert all(message.persons[0].valid for message in stage.messages)
        found[engine] = [message.persons[0].pixel for message in stage.messages]
    assert len(found["openvino"]) == 8
    for one, other in zip(found["openvino"], found["onnxruntime"]):
        assert one == pytest.approx(other, abs=0.01)
