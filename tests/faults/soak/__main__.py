"""How long it holds: full speed with a fault every few seconds, or one promise measured. The figures are kept as JSON.

Everything runs in real processes over a real broker; only the camera, the demo's scene, fails on command. Exit code 1
where something grew, is not explained, or a promise was not kept; Ctrl-C ends it with what was measured so far.
"""

import json
import os
import platform
import sys
from pathlib import Path
from typing import Any, Dict, Optional

import typer
from nasion.cli.signals import stopping_signals
from nasion.errors import InputError, NasionError
from typing_extensions import Annotated

from tests.faults.soak.picture import draw_soak
from tests.faults.soak.scenarios import SCENARIOS, TIMES, open_in
from tests.faults.soak.scene import Scene
from tests.faults.soak.soak import Progress, Soak

app = typer.Typer(add_completion=False, pretty_exceptions_enable=False)

Option = typer.Option


@app.command(help=__doc__)
def soak(
    minutes: Annotated[Optional[float], Option(metavar="N", min=0.01, help="Soak for so long.")] = None,
    scenario: Annotated[Optional[str], Option(metavar="|".join(SCENARIOS), help="Or measure one promise.")] = None,
    out: Annotated[Path, Option(metavar="DIR", help="Where the figures, the picture and the logs go.")] = Path(
        "build/soak"
    ),
    seed: Annotated[int, Option(metavar="N", help="Draws the faults.")] = 1,
    every: Annotated[float, Option(metavar="S", min=1, help="A fault every so many seconds.")] = 20.0,
    times: Annotated[Optional[int], Option(metavar="N", min=1, help="How often a scenario does it.")] = None,
    source: Annotated[str, Option(metavar="URI", help="What is looked at.")] = "demo:",
    view: Annotated[str, Option(metavar="VIEW", help="What the network sees of it.")] = "centre",
    model: Annotated[Optional[Path], Option(metavar="FILE.onnx", help="Another network.")] = None,
) -> None:
    """See the module."""
    if (minutes is None) == (scenario is None) or scenario not in (None, *SCENARIOS):
        raise InputError(f"give --minutes N or --scenario {'|'.join(SCENARIOS)}")
    settings: Dict[str, Any] = {"view": view, "mode": "live", "jump": {"mode": "off"}}
    if model is not None:
        settings["model"] = str(model.resolve())
    out.mkdir(parents=True, exist_ok=True)
    if scenario is not None:
        figures = SCENARIOS[scenario](open_in(out / scenario, source, settings, tell), tell, times or TIMES[scenario])
        keep({"scenario": scenario, "view": view, "machine": machine(), **figures}, out / f"{scenario}.json")
        end(figures["broken"])
    report = soak_for(Soak(seed, every), (minutes or 0) * 60, out, source, settings)
    keep({"view": view, "machine": machine(), **report}, out / "soak.json")
    why_not = draw_soak(report, out / "soak.png")
    tell(why_not or f"wrote {out / 'soak.png'}")
    end(report["problems"])


def soak_for(soak: Soak, seconds: float, out: Path, source: str, settings: Dict[str, Any]) -> Dict[str, Any]:
    """The soak itself; Ctrl-C and SIGTERM end it early."""
    progress = Progress()
    with stopping_signals() as stop, Scene(out, source=source, settings=settings, say=tell) as scene:
        tell(f"{seconds / 60:g} min with a fault every {soak.every_s:g} s, seed {soak.seed}; Ctrl-C ends it early")
        try:
            soak.run(scene, seconds, stop, progress)
        finally:
            progress.close()
        return soak.report(scene, *scene.end())


def machine() -> Dict[str, Any]:
    """What the figures were measured on."""
    return {"cores": os.cpu_count(), "load": os.getloadavg(), "python": platform.python_version()}


def keep(figures: Dict[str, Any], path: Path) -> None:
    """Write them; one large file may be replaced by another, never by a part."""
    new = path.with_suffix(".new")
    new.write_text(json.dumps(figures, indent=1) + "\n")
    new.replace(path)
    tell(f"wrote {path}")


def end(broken: Any) -> None:
    """The last words, and the exit code."""
    for text in broken:
        tell(f"NOT KEPT: {text}")
    if not broken:
        tell("all kept")
    sys.exit(bool(broken))


def tell(text: str) -> None:
    """A line on stderr."""
    sys.stderr.write(f"soak: {text}\n")
    sys.stderr.flush()


def main() -> None:
    """Errors of ours in one line."""
    try:
        app()
    except (NasionError, RuntimeError) as error:
        tell(str(error))
        sys.exit(error.exit_code if isinstance(error, NasionError) else 1)


if __name__ == "__main__":
    main()
