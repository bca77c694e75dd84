"""What goes over MQTT, defined once; JSON Schema and the AsyncAPI document are generated from these classes.

A message is strict JSON: NaN and infinities are refused, unknown fields too. Times are UTC; nanoseconds are decimal
strings because JSON readers keep only 53 bits of a number.
"""

from nasion.messages.base import SCHEMA_VERSION, Finite, Message, Pair, Stamped
from nasion.messages.info import UNITS, CalibrationInfo, InfoMessage, Limits, ModelInfo, Size
from nasion.messages.keys import SETTABLE, SetMessage, StateMessage, read_set, set_model
from nasion.messages.person import DepthSeen, PersonEntry, PersonMessage
from nasion.messages.stats import AGES, TIMES, EyesStats, SourceStats, Spread, StatsMessage
from nasion.messages.status import ProcessState, SourceState, StatusMessage

__all__ = [
    "AGES",
    "SCHEMA_VERSION",
    "SETTABLE",
    "TIMES",
    "UNITS",
    "CalibrationInfo",
    "DepthSeen",
    "EyesStats",
    "Finite",
    "InfoMessage",
    "Limits",
    "Message",
    "ModelInfo",
    "Pair",
    "PersonEntry",
    "PersonMessage",
    "ProcessState",
    "SetMessage",
    "Size",
    "SourceState",
    "SourceStats",
    "Spread",
    "Stamped",
    "StateMessage",
    "StatsMessage",
    "StatusMessage",
    "read_set",
    "set_model",
]
