"""Named recipes of a run: the original's eight, and those of the released models."""

from dataclasses import dataclass, field, replace
from itertools import product

from training.data.augment import CropRange
from training.data.disturb import Chances
from training.data.loading import Phase
from training.data.pairs import CropRecipe, Sampling
from training.data.target import TargetConfig
from training.fit.loss import LossConfig
from training.fit.schedule import Budget, ScheduleConfig
from training.network.unet import FAMILY, UNetConfig


@dataclass(frozen=True)
class Preset:
    """Everything that a run is made by, but for data, place and machine."""

    about: str
    network: UNetConfig
    phases: tuple[Phase, ...]
    budget: Budget
    schedule: ScheduleConfig = field(default_factory=ScheduleConfig)
    loss: LossConfig = field(default_factory=LossConfig)
    sampling: Sampling = field(default_factory=Sampling)
    #: Positive-negative pairs in a batch.
    pairs: int = 16
    #: Pairs between checkpoints; None: as many as there are positives.
    pairs_per_epoch: int | None = None
    #: The hold-out is judged, and may give the best checkpoint, every so many epochs, if those come out even.
    judge_every: int = 1
    #: Probability from which a run's own accuracy counts a face; the released threshold is chosen on the hold-out.
    threshold: float = 0.5
    #: Decay of the averaged weights, which are the ones judged and released; None: the last weights as they are.
    average: float | None = 0.998

    @property
    def epochs_between_judgements(self) -> int:
        """``judge_every``, or 1 where the budget would leave the last epochs of the run unjudged."""
        even = self.budget.minutes is None and (self.budget.epochs or 0) % self.judge_every == 0
        return self.judge_every if even else 1


def _original_crops(size: int, margin_px: int) -> CropRecipe:
    """The original's augmentation: crops at the prepared picture's scale, both flips, colour; one face a picture."""
    return CropRecipe(
        size,
        # Sigma 0.05 of the half width; every cell counts the same.
        TargetConfig(sigma_px=0.05 * size / 2, smallest_eye_distance_px=0.0, peak_weight=0.0, prominent_only=True),
        CropRange(
            rotation_deg=0.0,
            shear=0.0,
            stretch=0.0,
            margin=margin_px / size,
            own_scale=1.0,
            own_scale_jitter=(1.0, 1.0),
            negative_scale=(1.0, 1.0),
            eye_distance=(0.0, 1e9),
            scale=(1.0, 1.0),
            flip_vertical=0.5,
            backdrop=0.0,
            prominent=1.0,
        ),
        Chances(blur=0, motion_blur=0, coarse=0, noise=0, jpeg=0),
    )


def _original(size: int, sampling: Sampling) -> Preset:
    """One run of the thesis: small crops with small margins, large batches, the higher rate and the lower threshold.

    The thesis network with its loss, halving every 100 epochs, no averaged weights. Which of its runs had which
    sampling is not on record here: the eight are all combinations of its two sizes and its sampling variants.
    """
    small = size == 128
    return Preset(
        about=f"thesis run: {size} px, positives {sampling.positives}, negatives {sampling.negatives}",
        network=FAMILY["thesis"],
        phases=(Phase(1.0, _original_crops(size, 20 if small else 40)),),
        budget=Budget(epochs=461 if small else 261),
        schedule=ScheduleConfig(2e-3 if small else 2e-4, weight_decay=0.0, shape="halving"),
        sampling=sampling,
        pairs=64 if small else 32,
        threshold=0.7 if small else 0.8,
        average=None,
    )


_ORIGINAL_SAMPLINGS = (
    Sampling("indexed", "ordered"),
    Sampling("indexed", "shuffled"),
    Sampling("random", "ordered"),
    Sampling("random", "shuffled"),
)
_ORIGINALS = {
    f"M{number}": _original(size, sampling)
    for number, (size, sampling) in enumerate(product((128, 224), _ORIGINAL_SAMPLINGS), start=1)
}

#: A place that is uncertain by n pixels lowers the drawn peak, of width s, to s2 / (s2 + n2): labels
#: of large faces are some 3 px off, so with s = 4 large, easy faces were drawn lower than small ones, and a threshold
#: that kept false alarms away lost them. Measured on the hold-out at 98 % specificity: 90.4 % of the people found with
#: s = 4, 94.5 % with the maps of the same network blurred to 4.9, 94.0 % with 5.7. Two people still stand apart.
_SIGMA_PX = 5.3

#: Small crops show more faces a minute, large ones more of what surrounds them. Heavy peaks make the network draw them
#: early; lighter ones at the end bring the heights down to how often a peak is right, and count false ones in full.
#: At last, many of the people are far away: their few pixels need the most practice.
_LITE_PHASES = (
    Phase(0.45, CropRecipe(160, TargetConfig(sigma_px=_SIGMA_PX, peak_weight=9.0))),
    Phase(0.85, CropRecipe(256, TargetConfig(sigma_px=_SIGMA_PX, peak_weight=3.0))),
    Phase(1.0, CropRecipe(224, TargetConfig(sigma_px=_SIGMA_PX, peak_weight=3.0), CropRange(far=0.15))),
)

#: Twenty times as costly as `lite`: most of its crops are small ones, of which an hour shows many; what surrounds
#: people is learned at last, at the size that the thesis used.
_UNET_PHASES = (
    Phase(0.6, CropRecipe(96, TargetConfig(sigma_px=_SIGMA_PX, peak_weight=9.0))),
    Phase(0.85, CropRecipe(128, TargetConfig(sigma_px=_SIGMA_PX, peak_weight=3.0))),
    Phase(1.0, CropRecipe(224, TargetConfig(sigma_px=_SIGMA_PX, peak_weight=3.0))),
)

_UNET = Preset(
    about="nasion-unet: the thesis network, normalised over batches",
    network=FAMILY["thesis-batch"],
    phases=_UNET_PHASES,
    budget=Budget(epochs=24),
    schedule=ScheduleConfig(3e-3),
    loss=LossConfig(hard_cells=0.1),
    sampling=Sampling("indexed", "shuffled"),
    pairs=8,
    # Half of the data set's positives take up to half an hour on one core, as much as a killed run may lose; the
    # hold-out takes minutes to judge: once in two rounds.
    pairs_per_epoch=2_825,
    judge_every=4,
)

PRESETS: dict[str, Preset] = {
    "lite": Preset(
        about="nasion-lite: below 1 GMAC at 224 x 224",
        network=FAMILY["lite"],
        phases=_LITE_PHASES,
        budget=Budget(minutes=120),
        schedule=ScheduleConfig(5e-3),
        loss=LossConfig(hard_cells=0.1),
        pairs_per_epoch=12_800,
    ),
    "unet": _UNET,
    "unet-2": replace(
        _UNET,
        about="nasion-unet, its second part, begun with the first one's weights (--start)",
        phases=_UNET_PHASES[-1:],
        # As many pairs as the data set has positives, six times.
        budget=Budget(epochs=12),
        schedule=ScheduleConfig(1e-3),
    ),
    **_ORIGINALS,
}
