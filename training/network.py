"""The heat-map network: the thesis' small U-Net and its cheaper relatives, one definition.

The thesis network is ``UNetConfig(width=32, norm="instance", stem_stride=1)``. Its relatives change the width, the
normalisation or the stride of the first convolution; a stride-2 stem computes the whole network at half the picture's
resolution and has one level less, so that any multiple of 32 pixels still fits.
"""

from dataclasses import dataclass
from typing import Literal

import torch
import torch.nn.functional as F
from torch import Tensor, nn

#: Mean and standard deviation of the ImageNet pictures (RGB, 0..1), the usual input normalisation.
RGB_MEAN = (0.485, 0.456, 0.406)
RGB_STD = (0.229, 0.224, 0.225)


@dataclass(frozen=True)
class UNetConfig:
    """What distinguishes one member of the family from another."""

    width: int = 16
    norm: Literal["batch", "instance"] = "batch"
    stem_stride: Literal[1, 2] = 2

    @property
    def levels(self) -> int:
        """Number of 2x down-samplings below the stem; 32 in all, stem included."""
        return 5 if self.stem_stride == 1 else 4

    @property
    def stride(self) -> int:
        """Pixels of network input per heat-map cell."""
        return self.stem_stride


def _conv(config: UNetConfig, channels_in: int, channels_out: int, kernel: int, stride: int = 1) -> nn.Sequential:
    """Convolution, normalisation, ReLU. The normalisation brings the shift, so the convolution has no bias."""
    norm: nn.Module = nn.BatchNorm2d(channels_out) if config.norm == "batch" else nn.InstanceNorm2d(channels_out)
    return nn.Sequential(
        nn.Conv2d(channels_in, channels_out, kernel, stride, kernel // 2, bias=False),
        norm,
        nn.ReLU(inplace=True),
    )


class UNet(nn.Module):
    """Picture to heat map.

    Input: float tensor N x 3 x H x W, RGB, 0..255, H and W multiples of 32. Output: N x 1 x H/s x W/s, unclamped
    (training regresses the Gaussian itself; the exported model clips to 0..1), s = ``config.stride``.
    """

    mean: Tensor
    inverse_std: Tensor

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
        up_channels = [w * 2**i for i in reversed(range(config.levels))]
        self.stem = nn.Sequential(_conv(config, 3, w, 7, config.stem_stride), _conv(config, w, w, 7))
        skips = [w, *down_channels]
        self.down = nn.ModuleList(_conv(config, a, b, 3) for a, b in zip(skips, down_channels, strict=False))
        below = down_channels[-1]
        self.up = nn.ModuleList()
        for channels, skip in zip(up_channels, reversed(skips[:-1]), strict=True):
            self.up.append(_conv(config, below + skip, channels, 3))
            below = channels
        self.head = nn.Sequential(_conv(config, below + 3, w, 3), nn.Conv2d(w, 1, 3, padding=1))

    def forward(self, picture: Tensor) -> Tensor:
        x = picture = (picture - self.mean) * self.inverse_std
        x = self.stem(x)
        skips = []
        for level in self.down:
            skips.append(x)
            x = level(F.avg_pool2d(x, 2))
        for level in self.up:
            x = F.interpolate(x, scale_factor=2.0, mode="bilinear", align_corners=False)
            x = level(torch.cat((x, skips.pop()), dim=1))
        if self.config.stride > 1:
            picture = F.avg_pool2d(picture, self.config.stride)
        heat: Tensor = self.head(torch.cat((x, picture), dim=1))
        return heat
