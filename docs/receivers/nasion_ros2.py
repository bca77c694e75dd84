#!/usr/bin/env python3
"""ROS 2 node: the nearest person as geometry_msgs/PoseWithCovarianceStamped. Needs nasion_receiver.py, nasion_judge.py.

    source /opt/ros/humble/setup.bash && pip install 'paho-mqtt>=2.1,<3'
    python3 nasion_ros2.py --ros-args -p host:=broker.local -p camera:=cam0 -r person:=/person

What must not be acted upon is refused by nasion_judge.py, and counted in the log. The stamp is the instant of the
capture, the frame that of the message (the left camera's optical frame, or the robot's where a mount is set). Which way
the person looks is not known: the orientation is none, with a variance that says so. No message: nobody with a
position, or a fault; a subscriber must stop the robot when they cease. The log says `silent: stop` after `silent_ms`.
"""

import json

from nasion_judge import MAX_AGE_MS, SILENT_MS, Gate, nearest, read_boot_id, read_now
from nasion_receiver import TICK_S, subscribe

#: (pi rad)²: any direction.
UNKNOWN_ORIENTATION_RAD2 = 9.87
REPORT_S = 5.0


def pose_of(message):
    """The nearest person's pose as plain values; None where nobody has a position.

    ``covariance``: 6 x 6 row-major, of x, y, z, and rotations about x, y, z.
    """
    person = nearest(message)
    if person is None:
        return None
    seconds, nanoseconds = divmod(int(message["captured_ns"]), 1_000_000_000)
    covariance = [0.0] * 36
    for row in range(3):
        for column in range(3):
            covariance[6 * row + column] = float(person["covariance_m2"][3 * row + column])
        covariance[7 * (row + 3)] = UNKNOWN_ORIENTATION_RAD2
    return {
        "frame_id": message["frame_id"],
        "sec": seconds,
        "nanosec": nanoseconds,
        "position": [float(value) for value in person["position_m"]],
        "covariance": covariance,
    }


def make_node():
    """The node; ROS is imported only here."""
    from geometry_msgs.msg import PoseWithCovarianceStamped
    from rclpy.node import Node
    from rclpy.qos import qos_profile_sensor_data

    class NasionNode(Node):
        def __init__(self):
            super().__init__("nasion")
            told = {
                name: self.declare_parameter(name, default).value
                for name, default in (
                    ("host", "127.0.0.1"),
                    ("port", 1883),
                    ("prefix", "nasion"),
                    ("camera", "cam0"),
                    ("max_age_ms", MAX_AGE_MS),
                    ("silent_ms", SILENT_MS),
                )
            }
            self.gate = Gate(
                told["prefix"],
                told["camera"],
                max_age_ms=told["max_age_ms"],
                silent_ms=told["silent_ms"],
                boot_id=read_boot_id(),
            )
            self.silent = False
            self.publisher = self.create_publisher(PoseWithCovarianceStamped, "person", qos_profile_sensor_data)
            self.create_timer(REPORT_S, self.report)
            self.create_timer(TICK_S, self.watch)
            self.client = subscribe(told["host"], told["port"], self.gate, self.hear, self.get_logger().info)

        def hear(self, topic, retained, payload, now):
            verdict = self.gate.judge(topic, retained, payload, now)
            pose = None if verdict.message is None else pose_of(verdict.message)
            if pose is not None:
                out = PoseWithCovarianceStamped()
                out.header.frame_id = pose["frame_id"]
                out.header.stamp.sec, out.header.stamp.nanosec = pose["sec"], pose["nanosec"]
                place = out.pose.pose.position
                place.x, place.y, place.z = pose["position"]
                out.pose.pose.orientation.w = 1.0
                out.pose.covariance = pose["covariance"]
                self.publisher.publish(out)
            return verdict

        def watch(self):
            if self.gate.silent(read_now()) != self.silent:
                self.silent = not self.silent
                self.get_logger().warning("silent: stop" if self.silent else "heard again")

        def report(self):
            gate = self.gate
            counts = f"accepted {gate.counts['accepted']}, missed {gate.missed}, sessions {gate.sessions}"
            self.get_logger().info(f"{counts}, refused {json.dumps(gate.refused)}")

    return NasionNode()


def main():
    import rclpy

    rclpy.init()
    node = make_node()
    try:
        rclpy.spin(node)
    except KeyboardInterrupt:
        pass
    finally:
        node.client.disconnect()
        node.client.loop_stop()
        node.destroy_node()
        rclpy.try_shutdown()


if __name__ == "__main__":
    main()
