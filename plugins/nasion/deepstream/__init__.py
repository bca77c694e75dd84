"""The engine `deepstream`: pictures to the GPU, heat maps back, through NVIDIA's GStreamer elements."""
