"""The GStreamer shell around the core: feeding, scaling, probes, and the ring that keeps depth with its picture."""
