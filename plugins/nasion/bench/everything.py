"""All parts one after the other; what was measured is kept, whatever happens to the rest."""

from typing import Any, Callable, Dict, List, NamedTuple, Optional, Sequence

from nasion.bench.bench import Bench, Figures
from nasion.bench.parts import contests, paced, processes, stages
from nasion.bench.plan import PARTS
from nasion.config.nearest import did_you_mean
from nasion.errors import InputError, NasionError

_MEASURE: Dict[str, Callable[[Bench], Optional[Figures]]] = {
    "stages": stages.measure,
    "bare": contests.measure_bare,
    "models": contests.measure_models,
    "paced": paced.measure,
    "cameras": contests.measure_cameras,
    "sizes": contests.measure_sizes,
    "memory": processes.measure_memory,
    "startup": processes.measure_startup,
    "peers": contests.measure_peers,
}


class Measured(NamedTuple):
    """Figures by part, and the parts that failed with why."""

    parts: Dict[str, Any]
    failures: Dict[str, NasionError]


def parts_named(names: Optional[str]) -> List[str]:
    """``a,b`` to parts in the order of PARTS; all where there is none. InputError for what is no part."""
    if names is None:
        return list(PARTS)
    wanted = [name.strip() for name in names.split(",") if name.strip()]
    unknown = next((name for name in wanted if name not in PARTS), None)
    if unknown is not None or not wanted:
        guess = did_you_mean(unknown or "", PARTS)
        raise InputError(f"--only {names}: no part {unknown or names!r}{guess}; known are {', '.join(PARTS)}")
    return [part for part in PARTS if part in wanted]


def measure(bench: Bench, parts: Sequence[str], begin: Callable[[str], None]) -> Measured:
    """Measure ``parts`` until ``bench.stop`` is set; ``begin`` is told the name of each."""
    done = Measured({}, {})
    for part in parts:
        if bench.stop.is_set():
            break
        begin(part)
        try:
            figures = _MEASURE[part](bench)
        except NasionError as error:
            # What fails because it was stopped did not fail.
            if not bench.stop.is_set():
                done.failures[part] = error
            continue
        if figures is not None:
            done.parts[part] = figures
    return done
