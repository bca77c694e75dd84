"""A double of ROS 2, as far as the node in docs/receivers uses it, and as strict."""

import sys
from types import ModuleType, SimpleNamespace
from typing import Any, Dict

import pytest

INT32 = 2**31


class Time:
    """builtin_interfaces/Time: it takes an int32 and a uint32."""

    def __init__(self) -> None:
        self.sec = self.nanosec = 0

    def __setattr__(self, name: str, value: Any) -> None:
        least, end = {"sec": (-INT32, INT32), "nanosec": (0, 2 * INT32)}[name]
        assert isinstance(value, int)
        assert least <= value < end
        super().__setattr__(name, value)


class Floats:
    """A message of float64 fields, which takes nothing else."""

    def __init__(self, *names: str) -> None:
        for name in names:
            setattr(self, name, 0.0)

    def __setattr__(self, name: str, value: Any) -> None:
        assert isinstance(value, float), (name, value)
        super().__setattr__(name, value)


class Covariance:
    """The part of a pose with its covariance: 36 float64."""

    def __init__(self) -> None:
        self.pose = SimpleNamespace(position=Floats("x", "y", "z"), orientation=Floats("x", "y", "z", "w"))
        self._covariance = [0.0] * 36

    @property
    def covariance(self) -> Any:
        return self._covariance

    @covariance.setter
    def covariance(self, values: Any) -> None:
        assert len(values) == 36
        assert all(isinstance(value, float) for value in values)
        self._covariance = list(values)


def double_of_ros(monkeypatch: pytest.MonkeyPatch, parameters: Dict[str, Any]) -> SimpleNamespace:
    """Puts it in the place of rclpy and geometry_msgs; what was published and logged."""
    seen = SimpleNamespace(poses=[], logged=[], topics=[], timers=[])

    class Node:
        def __init__(self, name: str) -> None:
            self.name = name

        def declare_parameter(self, name: str, default: Any) -> Any:
            value = parameters.get(name, default)
            # A parameter keeps the type of its default.
            assert type(value) is type(default), name
            return SimpleNamespace(value=value)

        def create_publisher(self, kind: Any, topic: str, _qos: Any) -> Any:
            seen.topics.append((kind.__name__, topic))

            def publish(message: Any) -> None:
                assert isinstance(message, kind)
                seen.poses.append(message)

            return SimpleNamespace(publish=publish)

        def create_timer(self, period_s: float, call: Any) -> None:
            seen.timers.append((period_s, call))

        def get_logger(self) -> Any:
            return SimpleNamespace(info=seen.logged.append, warning=seen.logged.append)

    class PoseWithCovarianceStamped:
        def __init__(self) -> None:
            self.header = SimpleNamespace(frame_id="", stamp=Time())
            self.pose = Covariance()

    for name, content in (
        ("rclpy", {}),
        ("rclpy.node", {"Node": Node}),
        ("rclpy.qos", {"qos_profile_sensor_data": None}),
        ("geometry_msgs", {}),
        ("geometry_msgs.msg", {"PoseWithCovarianceStamped": PoseWithCovarianceStamped}),
    ):
        module = ModuleType(name)
        module.__dict__.update(content)
        monkeypatch.setitem(sys.modules, name, module)
    return seen
