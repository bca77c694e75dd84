"""A ranger whose limits and gate change between two frames, and whose persons keep their numbers."""

from typing import Optional

from nasion.core.calibration import Calibration
from nasion.core.gates import JumpGate
from nasion.core.ranging import Ranger
from nasion.core.tracks import Tracker
from nasion.settings import DepthSettings, JumpSettings, MountSettings


class TunableRanger(Ranger):
    """As `Ranger`; one thread calls both methods."""

    def __init__(
        self,
        calibration: Calibration,
        depth: DepthSettings,
        jump: JumpSettings,
        mount: Optional[MountSettings] = None,
    ) -> None:
        super().__init__(calibration, depth, jump, mount)
        self._tracks = _TunableTracker(jump, nearest_m=depth.near_m)
        self._tracker = self._tracks

    def tune(self, depth: DepthSettings, jump: JumpSettings) -> None:
        """From the next frame on."""
        self._depth = depth
        self._tracks.tune(jump, depth.near_m)


class _TunableTracker(Tracker):
    def tune(self, settings: JumpSettings, nearest_m: float) -> None:
        """Every gate goes by the new settings, from the reference that it has."""
        self._settings = settings
        self._nearest_m = nearest_m
        for track in self._tracks.values():
            gate = JumpGate(settings)
            gate.reference = track.gate.reference
            track.gate = gate
