"""The workshop: data preparation, the network, training and evaluation. PyTorch lives here and in `export/` only."""

# Switches the telemetry of libraries off, before any of them is imported.
import nasion as nasion
