"""In which precision the CPU engine computes, and hence which of a view's nvinfer files it takes, and why."""

from dataclasses import replace
from pathlib import Path
from typing import Callable, FrozenSet, NamedTuple, Optional

from nasion.config.nvinfer import NvinferConfig, default_nvinfer_file, read_nvinfer
from nasion.engine.choice import OwnEngine
from nasion.errors import InputError
from nasion.settings import Precision, RunSettings

#: Where Linux describes the processors.
CPUINFO = Path("/proc/cpuinfo")
#: Flags of processors that multiply 8-bit numbers faster than floats: VNNI (x86), dot products and matrices (ARM).
FAST_INT8 = ("avx512_vnni", "avx_vnni", "i8mm", "asimddp")


class Chosen(NamedTuple):
    """The nvinfer file to take, and what to tell people about it."""

    file: Path
    why: str


def cpu_flags(cpuinfo: str) -> FrozenSet[str]:
    """The flags that every processor in ``cpuinfo`` (the text of /proc/cpuinfo) has: programs move between them."""
    lines = (line.partition(":") for line in cpuinfo.splitlines())
    each = [frozenset(flags.split()) for key, _, flags in lines if key.strip() in ("flags", "Features")]
    return frozenset.intersection(*each) if each else frozenset()


def fast_int8(cpuinfo: str) -> Optional[str]:
    """The first of FAST_INT8 that the processors have; None where INT8 is not worth it."""
    flags = cpu_flags(cpuinfo)
    return next((flag for flag in FAST_INT8 if flag in flags), None)


def int8_file(float_file: Path) -> Path:
    """The nvinfer file of the INT8 twin, beside that of the float network."""
    return float_file.with_name(f"{float_file.stem}_int8{float_file.suffix}")


def choose_file(wanted: Precision, float_file: Path, cpuinfo: str) -> Chosen:
    """The file to take of ``float_file`` and its INT8 twin; InputError where INT8 is asked for and is not there."""
    int8 = int8_file(float_file)
    if wanted == "float":
        return Chosen(float_file, "float (asked for)")
    if wanted == "int8":
        if not int8.is_file():
            raise InputError(f"precision int8 needs {int8}, which is not there; take --precision float or auto")
        return Chosen(int8, "int8 (asked for)")
    flag = fast_int8(cpuinfo)
    if flag is None:
        return Chosen(float_file, f"float (this processor has none of {', '.join(FAST_INT8)})")
    if not int8.is_file():
        return Chosen(float_file, f"float (there is no {int8.name}; this processor has {flag})")
    return Chosen(int8, f"int8 (this processor has {flag})")


def settle_precision(
    settings: RunSettings, *, engine: OwnEngine, cpuinfo: str, on_event: Callable[[str], None]
) -> RunSettings:
    """The same settings with the nvinfer file that ``precision`` comes to, which is told; what is named already stays.

    ``engine``: that will run the network; ``cpuinfo``: text of /proc/cpuinfo. InputError where it cannot be had.
    """
    named = settings.model or settings.nvinfer
    if named is not None:
        if settings.precision != "auto":
            on_event(f"precision: that of {named}, not {settings.precision}: a file that is named overrides it")
        return settings
    if engine == "deepstream":
        if settings.precision == "int8":
            raise InputError(
                "precision int8 is the CPU's; DeepStream takes the nvinfer file that scripts/build_engine writes: "
                "nvinfer: FILE in the configuration"
            )
        on_event("precision: that of the nvinfer file (deepstream)")
        return settings
    chosen = choose_file(settings.precision, default_nvinfer_file(settings.view), cpuinfo)
    on_event(f"precision: {chosen.why}")
    return settings.model_copy(update={"nvinfer": str(chosen.file)})


def network_config(
    settings: RunSettings, *, engine: OwnEngine, cpuinfo: str, on_event: Callable[[str], None]
) -> NvinferConfig:
    """How a run's network is fed: its nvinfer file, with the model that the settings name instead. InputError."""
    settings = settle_precision(settings, engine=engine, cpuinfo=cpuinfo, on_event=on_event)
    config = read_nvinfer(Path(settings.nvinfer) if settings.nvinfer else default_nvinfer_file(settings.view))
    config.check_view(settings.view)
    if settings.model:
        # An engine that the file names is one of the file's own model.
        return replace(config, onnx_file=Path(settings.model), engine_file=None)
    return config


def read_cpuinfo() -> str:
    """The text of /proc/cpuinfo; empty where there is none, which is a processor without flags."""
    try:
        return CPUINFO.read_text(encoding="utf-8", errors="replace")
    except OSError:
        return ""
