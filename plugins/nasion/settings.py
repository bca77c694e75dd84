"""Everything a run can be told: names, meanings, ranges and defaults stand here and nowhere else.

The YAML configuration, the flags' defaults and help, and the documentation are made from these classes.
"""

from typing import List, Optional, Tuple

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, field_validator, model_validator
from typing_extensions import Annotated, Literal, Self

from nasion.errors import InputError
from nasion.paths import expanded

View = Literal["centre", "full", "fine"]
Engine = Literal["auto", "onnxruntime", "openvino", "deepstream"]
Precision = Literal["auto", "float", "int8"]
Mode = Literal["live", "every-frame"]

#: Characters that would tear an MQTT topic apart.
FORBIDDEN_IN_NAMES = "+#$/"

#: Who we are to the broker and whom we trust, as the environment says it; receivers to copy know the same names.
MQTT_ENVIRONMENT = {
    "username": "NASION_MQTT_USER",
    "password": "NASION_MQTT_PASSWORD",
    "ca_file": "NASION_MQTT_CA_FILE",
    "cert_file": "NASION_MQTT_CERT_FILE",
    "key_file": "NASION_MQTT_KEY_FILE",
}
#: Where container engines put a secret of this name.
MQTT_PASSWORD_SECRET = "/run/secrets/nasion_mqtt_password"

#: Persons in one picture.
MOST_PERSONS = 32

#: A name has at most so many bytes: with it a topic, a client's id and a file's name stay well within their limits.
LONGEST_NAME = 100

Probability = Annotated[float, Field(ge=0, le=1)]


def _in_home(path: str) -> str:
    try:
        return str(expanded(path)) if path.startswith("~") else path
    except InputError as error:
        raise ValueError(str(error)) from None


#: A path; `~` is the user's own folder.
PathText = Annotated[str, AfterValidator(_in_home)]


def checked_name(name: str) -> str:
    """A camera's name as it stands in topics; ValueError says what is wrong with it."""
    bad = sorted(set(name) & set(FORBIDDEN_IN_NAMES))
    if not name or bad or not name.isprintable():
        found = f"contains {' '.join(bad)}" if bad else "is empty or not printable"
        raise ValueError(f"{name!r} {found}; a name has at least one character and none of + # $ /")
    if len(name.encode()) > LONGEST_NAME:
        raise ValueError(f"{name[:20]!r}… has {len(name.encode())} bytes; a name has at most {LONGEST_NAME}")
    return name


class Settings(BaseModel):
    """Common rules: unknown keys and values out of range are refused."""

    # What was given may hold a password.
    model_config = ConfigDict(extra="forbid", frozen=True, allow_inf_nan=False, hide_input_in_errors=True)


class DepthSettings(Settings):
    """From the depth patch to one depth."""

    patch_px: int = Field(5, ge=1, le=63, description="Side of the depth patch, full-resolution pixels; odd.")
    near_m: float = Field(0.7, gt=0, description="Nearer than this is `too_near`.")
    far_m: float = Field(10.0, gt=0, description="Farther than this is `too_far`.")
    reducer: Literal["median", "mean"] = Field("median", description="How the finite depths become one.")
    min_share: Probability = Field(0.2, description="Share of finite depths below which the patch has no depth.")
    sigma_disparity_px: float = Field(
        0.25, ge=0, description="Standard deviation of a disparity, pixels: the stereo part of the covariance."
    )

    @model_validator(mode="after")
    def _consistent(self) -> Self:
        if self.patch_px % 2 == 0:
            raise ValueError(f"patch_px must be odd, not {self.patch_px}")
        if self.near_m >= self.far_m:
            raise ValueError(f"near_m ({self.near_m}) must be less than far_m ({self.far_m})")
        return self


class JumpSettings(Settings):
    """When a distance is refused because nobody moves that fast."""

    mode: Literal["speed", "fixed", "off"] = Field(
        "speed", description="`speed`: by the time passed; `fixed`: the original's fixed step; `off`."
    )
    max_speed_m_s: float = Field(3.0, gt=0, description="`speed`: a person approaches no faster than this.")
    sigmas: float = Field(3.0, ge=0, description="`speed`: allowance for noise, standard deviations of both ranges.")
    fixed_m: float = Field(2.0, gt=0, description="`fixed`: largest accepted step.")
    expires_s: float = Field(
        1.0,
        gt=0,
        description="After this time without an accepted range, any is accepted; "
        "whoever was unseen for longer gets a new track_id.",
    )


class HysteresisSettings(Settings):
    """Two thresholds, so that a person on the edge of recognition does not flicker. Off as in the original."""

    enabled: bool = Field(False, description="Whether the two thresholds below replace the single one.")
    appear: Probability = Field(0.7, description="A person appears at this probability.")
    stay: Probability = Field(0.6, description="A person in view stays down to this probability.")

    @model_validator(mode="after")
    def _ordered(self) -> Self:
        if self.stay > self.appear:
            raise ValueError(f"stay ({self.stay}) must not exceed appear ({self.appear})")
        return self


class MountSettings(Settings):
    """Where the left camera sits on the robot: the pose of the camera's body frame in `frame_id`.

    REP 103: x forward, y left, z up; rotation by roll, pitch, yaw about the fixed x, y, z, in that order.
    """

    frame_id: str = Field("base_link", min_length=1, description="Name of the robot's frame.")
    translation_m: Tuple[float, float, float] = Field((0.0, 0.0, 0.0), description="[x, y, z] of the camera.")
    rpy_rad: Tuple[float, float, float] = Field((0.0, 0.0, 0.0), description="[roll, pitch, yaw] of the camera.")


class CameraSettings(Settings):
    """One camera."""

    source: str = Field(min_length=1, description="URI or path of the source, e.g. `demo:` or `sbs:walk.avi`.")
    name: str = Field("cam0", description="Name in topics and messages.")
    mount: Optional[MountSettings] = Field(None, description="Publish in this robot frame, not the optical one.")

    _name = field_validator("name")(checked_name)

    @property
    def frame_id(self) -> str:
        """The frame positions are published in."""
        return self.mount.frame_id if self.mount else f"{self.name}_left_camera_optical_frame"


class MqttSettings(Settings):
    """The broker and how it is spoken to."""

    url: str = Field(
        "mqtt://127.0.0.1:1883",
        repr=False,
        description="mqtt://host:port, mqtts://… for TLS, or `none` for no broker.",
    )
    prefix: str = Field("nasion", description="First level of every topic.")
    qos: Literal[0, 1] = Field(1, description="1: one message in flight, newest next; 0: sent and forgotten.")
    keepalive_s: int = Field(2, ge=1, le=3600, description="The broker declares us offline after 1.5 x this.")
    username: Optional[str] = Field(
        None, min_length=1, description=f"User name at the broker; default: {MQTT_ENVIRONMENT['username']}."
    )
    password_file: Optional[PathText] = Field(
        None,
        min_length=1,
        description=f"File that holds the password, one line; default: {MQTT_ENVIRONMENT['password']}, "
        f"then {MQTT_PASSWORD_SECRET}.",
    )
    ca_file: Optional[PathText] = Field(
        None,
        min_length=1,
        description=f"CA certificates for mqtts://; default: {MQTT_ENVIRONMENT['ca_file']}, then the system's.",
    )
    cert_file: Optional[PathText] = Field(
        None,
        min_length=1,
        description=f"Our own certificate, where the broker asks for one; default: {MQTT_ENVIRONMENT['cert_file']}.",
    )
    key_file: Optional[PathText] = Field(
        None,
        min_length=1,
        description=f"Its private key; default: {MQTT_ENVIRONMENT['key_file']}, then `cert_file` itself.",
    )
    insecure: bool = Field(
        False, description="Take any certificate for the broker's. For tests only; it warns at every start."
    )
    max_age_ms: float = Field(200.0, gt=0, description="Nothing older than this is sent.")

    _prefix = field_validator("prefix")(checked_name)


class ImageSettings(Settings):
    """The annotated picture on topic `image`."""

    enabled: bool = Field(False, description="Whether annotated pictures leave the machine, on `image`.")
    hz: float = Field(2.0, gt=0, le=30, description="At most so many pictures a second.")


#: What can be set while it runs, over `set/<key>`: the setting that each key changes.
SETTABLE_PLACES = {
    "threshold": "threshold",
    "max_persons": "max_persons",
    "near_m": "depth.near_m",
    "far_m": "depth.far_m",
    **{f"jump_{name}": f"jump.{name}" for name in JumpSettings.model_fields},
    "image": "image.enabled",
    "image_hz": "image.hz",
}


class RemoteSettings(Settings):
    """What may be set over MQTT while it runs."""

    allow: Optional[List[str]] = Field(
        None, description="Keys of `set/<key>` that are obeyed; default: all; `[]`: none."
    )
    persist: Optional[PathText] = Field(
        None,
        min_length=1,
        description="File that keeps what was set, and overrides this configuration at the next start; default: none.",
    )

    @field_validator("allow")
    @classmethod
    def _known(cls, allow: Optional[List[str]]) -> Optional[List[str]]:
        unknown = sorted(set(allow or ()) - set(SETTABLE_PLACES))
        if unknown:
            raise ValueError(f"{unknown[0]!r} cannot be set; expected some of {', '.join(SETTABLE_PLACES)}")
        return allow


class WatchdogSettings(Settings):
    """What is done when frames go in and none comes out."""

    seconds: float = Field(
        10.0, ge=0.5, le=3600, description="Frames go in and none comes out for this long: it fires."
    )
    action: Literal["exit", "restart"] = Field(
        "exit", description="`exit`: end with exit code 5; `restart`: start the same command again in this process."
    )


class HttpSettings(Settings):
    """Health and metrics for those who ask over HTTP."""

    port: Optional[int] = Field(
        None,
        ge=0,
        le=65535,
        description="Serve `/healthz` and `/metrics` (Prometheus) here; 0: any; default: not at all.",
    )
    host: str = Field("127.0.0.1", min_length=1, description="Address to serve them on; `0.0.0.0`: to everybody.")


class RunSettings(Settings):
    """The whole configuration of `nasion run`."""

    cameras: List[CameraSettings] = Field(min_length=1, description="One entry for each camera.")
    view: View = Field("full", description="What the network sees of the picture.")
    engine: Engine = Field(
        "auto",
        description="What runs the network. `auto`: deepstream where it loads, else onnxruntime; never openvino.",
    )
    precision: Precision = Field(
        "auto",
        description="What the CPU computes in; `auto`: `int8` where the processor is fast in it and the network is "
        "there. A named `nvinfer` or `model` overrides it.",
    )
    nvinfer: Optional[PathText] = Field(
        None, description="nvinfer configuration file; default: the one in deepstream_configs/ for the view."
    )
    model: Optional[PathText] = Field(None, description="ONNX file instead of the nvinfer file's `onnx-file`.")
    threads: int = Field(1, ge=1, le=64, description="Threads of one inference on the CPU, and of OpenCV.")
    mode: Optional[Mode] = Field(
        None, description="`live`: newest frame wins; `every-frame`: all. Default: by the source."
    )
    every: int = Field(1, ge=1, description="Process each N-th frame only.")
    frozen_ms: float = Field(
        500.0,
        ge=0,
        le=60_000,
        description="A live source that repeats its picture to the bit for longer is `frozen`, not searched; 0: never.",
    )
    frames: Optional[int] = Field(None, ge=1, description="End after this many processed frames of each camera.")
    seconds: Optional[float] = Field(None, gt=0, description="End after this time.")
    save: Optional[PathText] = Field(None, description="Write the annotated video to this new .avi file.")
    threshold: Optional[Probability] = Field(None, description="Probability of a person; default: the model's own.")
    max_persons: int = Field(1, ge=1, le=MOST_PERSONS, description="How many persons are located, strongest first.")
    depth: DepthSettings = DepthSettings()
    jump: JumpSettings = JumpSettings()
    hysteresis: HysteresisSettings = HysteresisSettings()
    mqtt: MqttSettings = MqttSettings()
    image: ImageSettings = ImageSettings()
    remote: RemoteSettings = RemoteSettings()
    watchdog: WatchdogSettings = WatchdogSettings()
    http: HttpSettings = HttpSettings()

    @model_validator(mode="after")
    def _distinct_names(self) -> Self:
        names = [camera.name for camera in self.cameras]
        twice = sorted({name for name in names if names.count(name) > 1})
        if twice:
            raise ValueError(f"camera name {twice[0]!r} is used twice; give each source its own: --source front=…")
        return self
