"""The pure core: arrays in, values out. No GStreamer, no MQTT, no clock (time is an argument), no files."""
