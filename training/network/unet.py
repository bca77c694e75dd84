"""The heat-map network: the thesis' small U-Net and its cheaper relatives, one definition.

`FAMILY` names the members in use. A stem of stride 2 computes the whole network at half the picture's resolution and
has one level less, so that any multiple of 32 pixels still fits; a head of stride 4 leaves out the last, most
expensive levels on the way up. What these save is spent on more convolutions further down, where they are cheap.
"""

import math
from dataclasses import dataclass, replace
from typing import Literal

import torch
import torch.nn.functional as F
from torch import Tensor, nn

#: Mean and standard deviation of the ImageNet pictures (RGB, 0..1), the usual input normalisation.
RGB_MEAN = (0.485, 0.456, 0.406)
RGB_STD = (0.229, 0.224, 0.225)


@dataclass(frozen=True)
class UNetConfig:
    """What distinguishes one member of the family from another. The defaults are those of `nasion-lite`."""

    #: Channels of the first level; each level down has twice as many, at most 16 times as many.
    width: int = 16
    norm: Literal["batch", "instance"] = "batch"
    stem_stride: Literal[1, 2] = 2
    stem_kernel: Literal[5, 7] = 5
    #: Convolutions before the first down-sampling.
    stem_convs: Literal[1, 2] = 1
    #: Convolutions of each level on the way down.
    level_convs: int = 2
    #: Pixels of network input per heat-map cell; the way up ends there.
    head_stride: Literal[1, 2, 4] = 4
    #: The stem's second convolution looks at each channel alone and is followed by one of 1 x 1.
    depthwise: bool = False
    #: Standard deviation, input pixels, of the Gaussian that the exported map is smoothed by; 0: not at all. A peak
    #: then says what its surroundings say: noise averages out, and an uncertain place loses less height.
    smoothing_px: float = 3.2

    def __post_init__(self) -> None:
        if self.head_stride < self.stem_stride:
            raise ValueError(f"head_stride {self.head_stride} is below stem_stride {self.stem_stride}")

    @property
    def levels(self) -> int:
        """Number of 2x down-samplings below the stem; 32 in all, stem included."""
        return 5 if self.stem_stride == 1 else 4

    @property
    def up_levels(self) -> int:
        """Number of 2x up-samplings from the lowest level to the head."""
        return self.levels - (self.head_stride // self.stem_stride).bit_length() + 1


#: The network of the thesis, 11.06 million parameters, 10.79 GMAC at 224 x 224.
THESIS = UNetConfig(
    32,
    norm="instance",
    stem_stride=1,
    stem_kernel=7,
    stem_convs=2,
    level_convs=1,
    head_stride=1,
    smoothing_px=0.0,
)

#: The members in use, by the names that commands take.
FAMILY = {
    "thesis": THESIS,
    "thesis-batch": replace(THESIS, norm="batch", smoothing_px=3.2),
    "thesis-narrow": replace(THESIS, norm="batch", width=16),
    "thesis-depthwise": replace(THESIS, norm="batch", depthwise=True),
    "stride2": UNetConfig(16, stem_kernel=7, stem_convs=2, level_convs=1, head_stride=2, smoothing_px=0.0),
    "lite": UNetConfig(),
}


def _norm_relu(config: UNetConfig, channels: int) -> list[nn.Module]:
    norm: nn.Module = nn.BatchNorm2d(channels) if config.norm == "batch" else nn.InstanceNorm2d(channels)
    return [norm, nn.ReLU(inplace=True)]


def _conv(config: UNetConfig, channels_in: int, channels_out: int, kernel: int, stride: int = 1) -> nn.Sequential:
    """Convolution, normalisation, ReLU. The normalisation brings the shift, so the convolution has no bias."""
    return nn.Sequential(
        nn.Conv2d(channels_in, channels_out, kernel, stride, kernel // 2, bias=False),
        *_norm_relu(config, channels_out),
    )


def _depthwise(config: UNetConfig, channels: int, kernel: int) -> nn.Sequential:
    """Each channel filtered alone, then mixed point by point, each with normalisation and ReLU."""
    return nn.Sequential(
        nn.Conv2d(channels, channels, kernel, padding=kernel // 2, groups=channels, bias=False),
        *_norm_relu(config, channels),
        *_conv(config, channels, channels, 1),
    )


def _stem(config: UNetConfig) -> nn.Sequential:
    width, kernel = config.width, config.stem_kernel
    stem = [_conv(config, 3, width, kernel, config.stem_stride)]
    if config.stem_convs == 2:
        stem.append(_depthwise(config, width, kernel) if config.depthwise else _conv(config, width, width, kernel))
    return nn.Sequential(*stem)


def _level(config: UNetConfig, channels_in: int, channels_out: int) -> nn.Sequential:
    convs = [_conv(config, channels_in, channels_out, 3)]
    convs += [_conv(config, channels_out, channels_out, 3) for _ in range(config.level_convs - 1)]
    return nn.Sequential(*convs)


def _packed_gradient(x: Tensor) -> Tensor:
    """``x`` itself; the gradient that comes back through it lies in memory as ``x`` does, channels last and no gaps.

    Concatenation hands back slices of channels, for which the gradient of the up-sampling takes four times as long.
    """
    if x.requires_grad:
        x.register_hook(  # type: ignore[no-untyped-call]
            lambda gradient: gradient.contiguous(memory_format=torch.channels_last)
        )
    return x


class UNet(nn.Module):
    """Picture to heat map.

    Input: float tensor N x 3 x H x W, RGB, 0..255, H and W multiples of 32. Output: N x 1 x H/s x W/s, unclamped
    (training regresses the Gaussian itself; the exported model clips to 0..1), s = ``config.head_stride``.
    """

    mean: Tensor
    inverse_std: Tensor
    #: Standard deviation of the Gaussian it is taught to draw, pixels of its input.
    sigma_px: float = 4.0

    def __init__(self, config: UNetConfig) -> None:
        super().__init__()
        self.config = config
        self.register_buffer("mean", 255 * torch.tensor(RGB_MEAN).view(1, 3, 1, 1), persistent=False)
        self.register_buffer(
            "inverse_std",
            1 / (255 * torch.tensor(RGB_STD).view(1, 3, 1, 1)),
            persistent=False,
        )
        w = config.width
        down_channels = [min(w * 2 ** (i + 1), 16 * w) for i in range(config.levels)]
        up_channels = [w * 2**i for i in reversed(range(config.levels))][: config.up_levels]
        self.stem = _stem(config)
        skips = [w, *down_channels]
        self.down = nn.ModuleList(_level(config, a, b) for a, b in zip(skips, down_channels, strict=False))
        below = down_channels[-1]
        self.up = nn.ModuleList()
        for channels, skip in zip(up_channels, reversed(skips[:-1]), strict=False):
            self.up.append(_conv(config, below + skip, channels, 3))
            below = channels
        self.head = nn.Sequential(_conv(config, below + 3, below, 3), nn.Conv2d(below, 1, 3, padding=1))

    def forward(self, picture: Tensor) -> Tensor:
        x = picture = (picture - self.mean) * self.inverse_std
        x = self.stem(x)
        skips = []
        for level in self.down:
            skips.append(x)
            x = level(F.avg_pool2d(x, 2))
        for level in self.up:
            x = _packed_gradient(F.interpolate(x, scale_factor=2.0, mode="bilinear", align_corners=False))
            x = level(torch.cat((x, skips.pop()), dim=1))
        if self.config.head_stride > 1:
            picture = F.avg_pool2d(picture, self.config.head_stride)
        if picture.dtype != x.dtype:
            # In training with less precision: the head's convolution would round the picture all the same.
            picture = picture.to(x.dtype)
        heat: Tensor = self.head(torch.cat((x, picture), dim=1))
        return heat

    @property
    def drawn_sigma_px(self) -> float:
        """Standard deviation of what the exported network draws, pixels of its input."""
        return math.hypot(self.sigma_px, self.config.smoothing_px)

    def smoothing(self) -> Tensor | None:
        """The filter (1, 1, k, k) of the exported map; a Gaussian as it is taught keeps its peak of 1."""
        if self.config.smoothing_px == 0:
            return None
        cells, taught = self.config.smoothing_px / self.config.head_stride, self.sigma_px / self.config.head_stride
        radius = math.ceil(2.5 * cells)
        squares = torch.arange(-radius, radius + 1, dtype=torch.float32) ** 2
        row, drawn = torch.exp(-squares / (2 * cells**2)), torch.exp(-squares / (2 * taught**2))
        kernel = torch.outer(row, row)
        kernel /= (kernel * torch.outer(drawn, drawn)).sum()
        return kernel[None, None]

    def smoothed(self, heat: Tensor) -> Tensor:
        """``heat`` (N, 1, h, w) as `smoothing` makes it."""
        kernel = self.smoothing()
        return heat if kernel is None else F.conv2d(heat, kernel.to(heat), padding=kernel.shape[-1] // 2)

    def freeze_encoder(self) -> None:
        """Leave stem and way down as they are, statistics of their normalisations included."""
        for part in (self.stem, self.down):
            part.requires_grad_(False)
            for module in part.modules():
                if isinstance(module, nn.BatchNorm2d):
                    module.momentum = 0.0
