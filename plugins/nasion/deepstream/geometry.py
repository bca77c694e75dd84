"""What of a view nvvideoconvert, nvstreammux and nvinfer can make, so that none of them scales a second time.

nvvideoconvert cuts the crop out and scales it; nvstreammux takes that size as its own; nvinfer puts it into the top
left of the network's input, because with ``maintain-aspect-ratio=1`` it scales by 1 what fills the input in one
direction.
"""

from dataclasses import replace

from nasion.core.views import ViewGeometry, view_geometry
from nasion.settings import View

#: Limits of the Jetson's scaler (VIC).
_SMALLEST = 16
_MOST = 16


def deepstream_geometry(view: View, width: int, height: int) -> ViewGeometry:
    """As `view_geometry`, with an even scaled size: nvinfer drops an odd last column or row.

    ValueError where the elements would show the network something else.
    """
    seen = view_geometry(view, width, height)
    even = replace(seen, scaled_width=seen.scaled_width // 2 * 2, scaled_height=seen.scaled_height // 2 * 2)
    frame = f"a frame of {width} x {height} pixels"
    if even.scaled_width != even.input_width and even.scaled_height != even.input_height:
        raise ValueError(
            f"view {view!r} never enlarges {frame}, and nvinfer would; take another --view, or --engine onnxruntime"
        )
    if min(even.scaled_width, even.scaled_height) < _SMALLEST:
        raise ValueError(
            f"view {view!r} makes {even.scaled_width} x {even.scaled_height} of {frame}; the Jetson's scaler makes "
            f"{_SMALLEST} pixels at least"
        )
    for scale in (even.scale_x, even.scale_y):
        if not 1 / _MOST <= scale <= _MOST:
            raise ValueError(
                f"view {view!r} scales {frame} by 1/{scale:.3g}; the Jetson's scaler does 1/{_MOST} to {_MOST}"
            )
    return even
