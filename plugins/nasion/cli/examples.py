"""What `--help` shows of each command's use: the command lines that a user most likely wants."""

from typing import Dict, Tuple

EXAMPLES: Dict[str, Tuple[str, ...]] = {
    "run": (
        "nasion run --source demo: --mqtt none",
        "nasion run --source zed: --mqtt mqtt://broker.local --prefix robot7",
        "nasion run --source front=sbs:front.avi --source rear=sbs:rear.avi --json",
    ),
    "demo": (
        "nasion demo",
        "nasion demo --source demo:?size=1080 --seconds 10",
    ),
    "locate": (
        "nasion locate photo.jpg",
        "nasion locate photos/ --save annotated/",
        "nasion locate photos/ --max-persons 4 --json > found.jsonl",
    ),
    "listen": (
        "nasion listen --mqtt mqtt://broker.local --prefix robot7",
        "nasion listen --camera front --json",
    ),
    "check": (
        "nasion check",
        "nasion check --source zed: --mqtt mqtt://broker.local",
        "nasion check --config robot.yaml --json",
    ),
    "health": (
        "nasion health",
        "nasion health --file /run/nasion/health.json --json",
    ),
    "record": (
        "nasion record --source zed: --out walk.mcap --seconds 60",
        "nasion record --config robot.yaml --out day.mcap --max-mb 500 --jpeg 90",
    ),
    "schema": (
        "nasion schema person",
        "nasion schema --asyncapi > asyncapi.yaml",
    ),
    "bench": (
        "nasion bench --quick",
        "nasion bench --only stages,paced --view full --json figures.json",
    ),
}


def epilog(command: str) -> str:
    """The examples as the end of a help text; each is a paragraph, so that none runs into the next.

    Typer before 0.21, the last for Python 3.8, takes every second line break away.
    """
    return "\n\n\n\n".join(("Examples:", *EXAMPLES[command]))
