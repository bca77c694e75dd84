"""Nasion tells a robot where the person in front of it is."""

__version__ = "0.1.0"
