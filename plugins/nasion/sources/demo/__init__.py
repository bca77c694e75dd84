"""A stereo scene made by code, with exact truth: a person walks about before a far wall."""
