"""``nasion run``: locate persons and publish where they are."""

from nasion.cli.flags import (
    ConfigFlag,
    EngineFlag,
    EveryFlag,
    FramesFlag,
    JsonFlag,
    MaxPersonsFlag,
    ModeFlag,
    ModelFlag,
    MqttFlag,
    PrecisionFlag,
    PrefixFlag,
    SaveFlag,
    SecondsFlag,
    SourceFlag,
    ThresholdFlag,
    ViewFlag,
    overrides,
)
from nasion.cli.output import MessageLines, tell
from nasion.cli.signals import stopping_signals
from nasion.config.run_file import run_settings
from nasion.pipeline import app
from nasion.sources.clock import SystemClock


def run(
    source: SourceFlag = None,
    config: ConfigFlag = None,
    model: ModelFlag = None,
    view: ViewFlag = None,
    engine: EngineFlag = None,
    precision: PrecisionFlag = None,
    mode: ModeFlag = None,
    every: EveryFlag = None,
    frames: FramesFlag = None,
    seconds: SecondsFlag = None,
    save: SaveFlag = None,
    mqtt: MqttFlag = None,
    prefix: PrefixFlag = None,
    threshold: ThresholdFlag = None,
    max_persons: MaxPersonsFlag = None,
    json: JsonFlag = False,
) -> None:
    """Locate the persons in front of one or several cameras and publish where they are."""
    flags = overrides(
        model=model,
        view=view,
        engine=engine,
        precision=precision,
        mode=mode,
        every=every,
        frames=frames,
        seconds=seconds,
        save=save,
        mqtt=mqtt,
        prefix=prefix,
        threshold=threshold,
        max_persons=max_persons,
    )
    settings = run_settings(config, flags, source or ())
    clock = SystemClock()
    with stopping_signals() as stop:
        lines = MessageLines(json=json, clock=clock, stop=stop)
        summary = app.run(settings, clock=clock, on_message=lines, on_event=tell, stop=stop)
    for line in summary.lines():
        tell(line)
    summary.check()
