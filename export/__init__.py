"""From trained weights to the files that run: ONNX with everything about the model inside."""

# Switches the telemetry of libraries off, before any of them is imported.
import nasion as nasion
