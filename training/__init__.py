"""The workshop: data preparation, the network, training and evaluation. PyTorch lives here and in `export/` only."""
