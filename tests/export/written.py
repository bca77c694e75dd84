"""What a written ONNX file says of itself."""

from pathlib import Path

import onnx
from nasion.engine.metadata import ModelMetadata


def metadata_of(model: Path) -> ModelMetadata:
    return ModelMetadata.from_props({prop.key: prop.value for prop in onnx.load(model).metadata_props})
