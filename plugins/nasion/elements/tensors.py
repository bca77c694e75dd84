"""Heat maps of nvinfer for `nasionlocate`: each goes to the record of its camera and PTS."""

from collections import Counter
from pathlib import Path
from typing import Any, Dict, List, Sequence, Tuple

from nasion.config.nvinfer import read_nvinfer
from nasion.deepstream.geometry import deepstream_geometry
from nasion.deepstream.meta import MetaReader, why_no_pyds
from nasion.elements.inference import view_of
from nasion.elements.meeting import await_cameras, await_no_more, meet
from nasion.elements.records import Camera, Look, Record
from nasion.errors import DependencyError, InputError
from nasion.sources.frame import Clock
from nasion.tensorrt.onnx_facts import read_onnx_facts


class Tensors:
    """Reads the batches of one nvinfer.

    ``unknown`` counts the frames whose camera and PTS nobody had left, ``missing`` those without a heat map, by camera
    and reason.
    """

    def __init__(self, nvinfer_file: Path, cameras: Sequence[str]) -> None:
        """``cameras``: their names by the number of the mux's pad. DependencyError where there is no pyds."""
        missing = why_no_pyds()
        if missing is not None:
            raise DependencyError(f"behind nvinfer it needs {missing}; on a CPU put nasioninfer in nvinfer's place")
        config = read_nvinfer(nvinfer_file)
        self._view = view_of(config)
        self._model = read_onnx_facts(config.onnx_file)
        stride = self._model.metadata.stride
        self._reader = MetaReader(
            int(config.properties["gie-unique-id"]), config.height // stride, config.width // stride
        )
        self._cameras = list(cameras)
        self._looks: Dict[Camera, Look] = {}
        self.unknown = 0
        self.missing: Counter[Tuple[str, str]] = Counter()
        await_cameras(self._cameras)

    def read(self, buffer: Any, clock: Clock) -> List[Record]:
        """The records of the frames in a batch, with their heat maps. InputError for a pad without a camera."""
        records = []
        for frame in self._reader.searched(buffer):
            if not 0 <= frame.pad < len(self._cameras):
                raise InputError(
                    f"a frame of the mux's pad {frame.pad} came; cameras={','.join(self._cameras)} names "
                    f"{len(self._cameras)}, from pad 0 on"
                )
            record = meet(self._cameras[frame.pad], frame.pts)
            if record is None or record.camera is None:
                self.unknown += 1
                continue
            if frame.missing is not None:
                self.missing[record.camera.about.name, frame.missing] += 1
            record.look, record.slip.heat = self._look(record.camera, record), frame.heat
            record.slip.spend("network", clock.monotonic_ns())
            records.append(record)
        return records

    def close(self) -> None:
        """Await no more frames."""
        await_no_more(self._cameras)

    def _look(self, camera: Camera, record: Record) -> Look:
        if camera not in self._looks:
            try:
                geometry = deepstream_geometry(self._view, *record.size)
            except ValueError as error:
                raise InputError(str(error)) from None
            self._looks[camera] = Look("deepstream", self._view, self._model, geometry)
        return self._looks[camera]
