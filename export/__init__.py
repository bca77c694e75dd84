"""From trained weights to the files that run: ONNX with everything about the model inside."""
