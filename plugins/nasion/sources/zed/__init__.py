"""A ZED camera, its recording (.svo) or its network stream, through the ZED SDK; only ``sdk`` touches ``pyzed``."""
