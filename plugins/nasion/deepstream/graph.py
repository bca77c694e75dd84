"""The one GStreamer pipeline of all cameras, and the part of it that each camera sees."""

import os
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Callable, List, Optional, Set, Tuple

import numpy as np
from numpy.typing import NDArray

from nasion.deepstream.description import CameraInput, description, scaled_size
from nasion.deepstream.meta import MetaReader
from nasion.deepstream.passage import LIVE_INSIDE, Passage
from nasion.errors import InputError, NasionError
from nasion.pipeline.flow import Flow
from nasion.pipeline.gst import at_end, load_gst
from nasion.pipeline.inlet import Inlet
from nasion.pipeline.probes import Probes
from nasion.pipeline.steps import Steps
from nasion.sources.frame import Clock

_WHO = "deepstream"


@dataclass
class _Camera:
    """One camera's part: what the probes need of it."""

    name: str
    input: CameraInput
    steps: Steps
    flow: Flow
    #: To the end of nvinfer, and from there to the results.
    passage: Passage
    searched: Passage
    clock: Clock
    inlet: Optional[Inlet] = None

    def admit(self, buffer: Any) -> bool:
        """Whether the frame goes in; in mode live it waits for room, and stays out where a newer one came meanwhile.

        It is then counted when the newer one arrives.
        """
        pts: int = buffer.pts
        if not self.passage.wait() or (self.input.live and self.flow.overtaken(pts)):
            return False
        if not self.steps.admit(pts):
            return False
        self.passage.enter(pts, self.clock.monotonic_ns())
        return True

    def inferred(self, pts: int) -> bool:
        """Whether what comes out of nvinfer is a frame that went in; the others are counted."""
        known = self.passage.leave(pts)
        if known:
            self.searched.enter(pts, self.clock.monotonic_ns())
        else:
            self.searched.pass_by(pts)
        return known

    def converted(self, buffer: Any) -> None:
        """The frame is cropped and scaled."""
        self.steps.spend(buffer.pts, "preprocess")


class DeepStreamGraph:
    """Made camera by camera, then started once. Frames find back to their camera by the number of their pad."""

    def __init__(self, nvinfer_file: Path, reader: MetaReader, on_event: Callable[[str], None]) -> None:
        """``on_event`` hears once for each camera why a frame has no heat map."""
        self._gst = load_gst()
        self._nvinfer_file = nvinfer_file
        self._reader = reader
        self._cameras: List[_Camera] = []
        self._on_event = on_event
        self._told: Set[Tuple[str, str]] = set()
        self._pipeline: Any = None
        self._ended = False

    def add(
        self,
        name: str,
        camera: CameraInput,
        *,
        steps: Steps,
        flow: Flow,
        clock: Clock,
        on_failure: Callable[[BaseException], None],
    ) -> "CameraPart":
        """A further camera. InputError where its pictures do not go into one batch with the others'."""
        try:
            scaled_size([*(other.input for other in self._cameras), camera])
        except ValueError as error:
            raise InputError(f"{name}: {error}") from None
        passage = Passage(flow, limit=LIVE_INSIDE if camera.live else None, on_lost=steps.lost)
        searched = Passage(flow, on_lost=steps.lost)
        self._cameras.append(_Camera(name, camera, steps, flow, passage, searched, clock))
        return CameraPart(self, self._cameras[-1], on_failure)

    def start(self, on_failure: Callable[[BaseException], None]) -> None:
        """Build it and let it play; nothing where it does already. NasionError where GStreamer refuses."""
        if self._pipeline is not None:
            return
        # Only the older mux scales and knows a live source; the variable counts when its plugin is loaded.
        os.environ["USE_NEW_NVSTREAMMUX"] = "no"
        text = description([camera.input for camera in self._cameras], self._nvinfer_file)
        try:
            self._pipeline = self._gst.parse_launch_full(text, None, self._gst.ParseFlags.FATAL_ERRORS)
        except Exception as error:
            raise NasionError(f"{_WHO}: GStreamer does not make the pipeline: {error}") from None
        self._connect(Probes(on_failure))
        if self._pipeline.set_state(self._gst.State.PLAYING) == self._gst.StateChangeReturn.FAILURE:
            self.check()
            raise NasionError(f"{_WHO}: GStreamer does not start the pipeline")

    def check(self) -> bool:
        """Whether everything of all cameras is through. NasionError where GStreamer reports an error."""
        self._ended = self._ended or (self._pipeline is not None and at_end(self._pipeline.get_bus(), _WHO))
        return self._ended

    def stop(self) -> None:
        """Let go of everything; returns when no step runs any more."""
        for camera in self._cameras:
            camera.passage.close()
        if self._pipeline is not None:
            self._pipeline.set_state(self._gst.State.NULL)

    def _connect(self, probes: Probes) -> None:
        def pad(element: str, which: str) -> Any:
            return self._pipeline.get_by_name(element).get_static_pad(which)

        for number, camera in enumerate(self._cameras):
            view = camera.input.geometry
            source = self._pipeline.get_by_name(f"source_{number}")
            rows = (view.crop_top, view.crop_height)
            camera.inlet = Inlet(source, camera.name, view.frame_width, view.frame_height, always_bgrx=True, rows=rows)
            probes.add(pad(f"crop_{number}", "sink"), camera.admit)
            probes.add(pad(f"crop_{number}", "src"), camera.converted)
        probes.add(pad("infer", "sink"), self._batched)
        probes.add(pad("infer", "src"), self._take_heat)
        probes.add(pad("results", "sink"), self._finish)

    def _batched(self, buffer: Any) -> None:
        for number, pts in self._reader.frames(buffer):
            self._camera(number).steps.let_out(pts)

    def _take_heat(self, buffer: Any) -> None:
        """Only copies: nvinfer waits meanwhile, and what it gave is valid only here."""
        for frame in self._reader.searched(buffer):
            camera = self._camera(frame.pad)
            if not camera.inferred(frame.pts):
                continue
            if frame.missing is not None:
                self._tell(camera.name, frame.missing)
            camera.steps.heat(frame.pts, frame.heat)

    def _finish(self, buffer: Any) -> None:
        """The frames are asked for again: which batch this is, its place in the stream does not say."""
        for number, pts in self._reader.frames(buffer):
            camera = self._camera(number)
            if not camera.searched.leave(pts):
                continue
            camera.steps.spend(pts, "wait")
            camera.steps.locate(pts)
            camera.steps.range(pts)
            camera.steps.publish(pts)

    def _tell(self, camera: str, missing: str) -> None:
        if (camera, missing) not in self._told:
            self._told.add((camera, missing))
            self._on_event(f"{_WHO}: {camera}: nvinfer gave a frame without a heat map: {missing}")

    def _camera(self, number: int) -> _Camera:
        if not 0 <= number < len(self._cameras):
            raise NasionError(f"{_WHO}: a frame of input {number} came out; there are {len(self._cameras)} cameras")
        return self._cameras[number]


class CameraPart:
    """The graph as one camera sees it; see `nasion.pipeline.engine.Graph`."""

    def __init__(self, whole: DeepStreamGraph, camera: _Camera, on_failure: Callable[[BaseException], None]) -> None:
        self._whole = whole
        self._camera = camera
        self._on_failure = on_failure

    def start(self) -> None:
        """The first camera starts the whole."""
        self._whole.start(self._on_failure)

    def push(self, picture: NDArray[np.uint8], pts: int) -> None:
        """Hand over a picture; see `Inlet`."""
        try:
            self._inlet().push(picture, pts)
        except NasionError:
            # Where an element has failed, that is what is to be told, and not that the next one takes no frame.
            self._whole.check()
            raise

    def end(self) -> None:
        """No more pictures of this camera."""
        self._inlet().end()

    def check(self) -> bool:
        """Whether everything of all cameras is through; gives up frames that do not come out."""
        ended = self._whole.check()
        for stretch in (self._camera.passage, self._camera.searched):
            if ended:
                stretch.ended()
            stretch.look(self._camera.clock.monotonic_ns())
        return ended

    def stop(self) -> None:
        """Stops the whole."""
        self._whole.stop()

    def _inlet(self) -> Inlet:
        if self._camera.inlet is None:
            raise NasionError(f"{self._camera.name}: a picture came before the start")
        return self._camera.inlet
