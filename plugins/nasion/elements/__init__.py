"""What the GStreamer elements in plugins/python/ do. Only `buffers` knows GStreamer."""
