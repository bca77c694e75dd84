"""What a model file says of itself: `export` writes it, the run time reads it, nothing about it stands elsewhere."""

from typing import Any, Dict, Literal, Mapping, Optional, Tuple

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field, ValidationError
from typing_extensions import Annotated

from nasion.core.known_picture import Answer
from nasion.errors import InputError

#: Keys of the ONNX metadata begin so; others are somebody else's.
PREFIX = "nasion."
#: Longest side that a file may want a picture brought to: more would only fill the memory.
LARGEST_LOOK = 4096


def _of_text(told: Any) -> Any:
    return told.split(",") if isinstance(told, str) else told


def _smallest_first(sizes: Tuple[int, ...]) -> Tuple[int, ...]:
    if list(sizes) != sorted(set(sizes)):
        raise ValueError("the smallest must come first, and none twice")
    return sizes


#: Longest sides of looks at a still, or the text that lists them.
Looks = Annotated[
    Tuple[Annotated[int, Field(gt=0, le=LARGEST_LOOK, multiple_of=32)], ...],
    Field(min_length=2, max_length=8),
    BeforeValidator(_of_text),
    AfterValidator(_smallest_first),
]


def _answers_of_text(told: Any) -> Any:
    if not isinstance(told, str):
        return told
    answers = {}
    for entry in told.split(";"):
        size, _, numbers = entry.partition(":")
        peak, x, y = map(float, numbers.split())
        if not (0 <= peak <= 1 and 0 <= x <= LARGEST_LOOK and 0 <= y <= LARGEST_LOOK):
            raise ValueError(f"no heat map has the peak {numbers.strip()!r}")
        answers[size.strip()] = Answer(peak, x, y)
    return answers


#: Size of the input, `WIDTHxHEIGHT`, to the answer, or the text that lists them.
Answers = Annotated[
    Dict[Annotated[str, Field(pattern=r"^[0-9]{1,4}x[0-9]{1,4}$")], Answer], BeforeValidator(_answers_of_text)
]


class ModelMetadata(BaseModel):
    """The metadata of an exported heat-map model; fields without a default are required."""

    model_config = ConfigDict(extra="ignore", frozen=True)

    name: str = Field(min_length=1, description="The model's name, e.g. `nasion-lite`.")
    version: str = Field(min_length=1, description="Version of the weights.")
    stride: int = Field(ge=1, le=32, description="Pixels of network input per heat-map cell.")
    sigma_px: float = Field(gt=0, description="Standard deviation of the Gaussian it was taught, pixels of its input.")
    threshold: float = Field(gt=0, lt=1, description="Probability from which on a person is there.")
    agreed_threshold: Optional[float] = Field(
        None, gt=0, lt=1, description="The same where looks at a still must agree; default: `threshold`."
    )
    looks: Optional[Looks] = Field(
        None,
        description="Longest sides of looks at a still, pixels of its input, smallest first, of which each two "
        "neighbours must agree: `224, 320, 480`; default: two looks, the same for all models.",
    )
    keypoint: str = Field(description="What the keypoint is.")
    sizes: str = Field(description="Input sizes (height x width) it was checked at.")
    data_digest: str = Field(description="SHA-256 of the label tables it was taught from.")
    metrics: str = Field(description="Figures on the validation split, as JSON.")
    licence: str = Field(description="Terms of the weights.")
    answers: Optional[Answers] = Field(
        None,
        description="What it draws for the drawn head (`nasion.core.known_picture`), by the size of its input: height "
        "of the peak and its place in pixels, `480x288: 0.94 242 178; ...`; an engine is tried with it at its start.",
    )
    precision: Literal["float", "int8"] = Field("float", description="What its weights and activations are.")
    network: Optional[str] = Field(None, description="The network's configuration, as JSON, for who trains it further.")

    @classmethod
    def from_props(cls, props: Mapping[str, str]) -> "ModelMetadata":
        """Read from the ONNX file's key-value pairs; InputError names what is missing or wrong."""
        ours = {key[len(PREFIX) :]: value for key, value in props.items() if key.startswith(PREFIX)}
        try:
            return cls.model_validate(ours)
        except ValidationError as error:
            first = error.errors()[0]
            field = str(first["loc"][0])
            raise InputError(
                f"model metadata {PREFIX + field!r}: {first['msg']} (came: {ours.get(field)!r}); "
                "take a model made by `python -m export`"
            ) from None

    def answer(self, height: int, width: int) -> Optional[Answer]:
        """What it draws for the drawn head of this size; None where it does not say."""
        return (self.answers or {}).get(f"{width}x{height}")

    def to_props(self) -> Dict[str, str]:
        """The key-value pairs that `from_props` reads."""
        told = self.model_dump(exclude_none=True)
        if self.answers is not None:
            told["answers"] = "; ".join(
                f"{size}: {found.peak:.4f} {found.x:g} {found.y:g}" for size, found in self.answers.items()
            )
        if self.looks is not None:
            told["looks"] = ", ".join(map(str, self.looks))
        return {PREFIX + key: str(value) for key, value in told.items()}
