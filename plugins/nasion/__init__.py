"""Nasion tells a robot where the person in front of it is."""

from nasion.privacy import switch_telemetry_off

__version__ = "0.1.0"

switch_telemetry_off()
