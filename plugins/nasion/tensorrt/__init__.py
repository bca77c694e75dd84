"""TensorRT engines: how `trtexec` builds and times them, where they lie, and what is refused. Never needs torch."""
