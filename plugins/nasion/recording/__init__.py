"""Recordings: what a camera gave and what was made of it, in MCAP files that Foxglove opens."""
