"""The heat-map network: its family, and weights in and out of files."""
