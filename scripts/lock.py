"""Write locks/: the release of each Python package that scripts/setup and the images install, with its files' hashes.

pyproject.toml says what fits; locks/ says what is installed, the same everywhere until somebody runs this again.
base.txt is what every robot needs, build.txt what builds the package, each other file what an extra of that name adds.
One resolution covers Python 3.8 to 3.14 on Linux. Without --upgrade a release that still fits stays.
PyTorch and what it needs are not in it: which of its builds is right depends on the machine (CPU or CUDA).

Needs a network connection. Exit codes: 0 written, 1 something failed.
"""

import argparse
import os
import re
import subprocess
import sys
import tempfile
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
LOCKS = ROOT / "locks"
UV = "uv==0.13.9"
#: What installs the others, older in some distributions than today's kinds of wheels.
BUILD = ["pip>=23", "setuptools>=68"]
#: Which build of it is right depends on the machine.
LEFT_OUT = "torch"
#: The workshop's packages exist for newer Pythons only.
WORKSHOP = "python_version >= '3.11'"
#: Newer ones have no wheels of some of the packages yet.
PYTHONS = ">=3.8,<3.15"
MACHINES = "platform_python_implementation == 'CPython' and sys_platform == 'linux'"


def project(text: str) -> str:
    """pyproject.toml for the resolver: the build's packages are an extra, the workshop's are for newer Pythons."""
    text = text.replace('requires-python = ">=3.8"', f'requires-python = "{PYTHONS}"')
    start = text.index("\ntrain = [")
    end = text.index("\n]", start)
    train = re.sub(r'^(    "[^";]+)"', rf'\1; {WORKSHOP}"', text[start:end], flags=re.MULTILINE)
    extras = "[project.optional-dependencies]\n"
    text = text[:start] + train + text[end:]
    text = text.replace(extras, f"{extras}build = {BUILD}\n")
    return f'{text}\n[tool.uv]\nenvironments = ["{MACHINES}"]\n'


def blocks(text: str) -> "list[str]":
    """Each requirement with its hashes."""
    return re.findall(r"^\S.*(?:\n    .*)*\n", text, re.MULTILINE)


def pins(folder: Path) -> "list[str]":
    """The releases of today's locks, as constraints."""
    return [
        line.split(" \\")[0]
        for path in sorted(folder.glob("*.txt"))
        for line in path.read_text().splitlines()
        if "==" in line
    ]


def extras(text: str) -> "list[str]":
    table = text.partition("[project.optional-dependencies]")[2].partition("\n[")[0]
    return re.findall(r"^([a-z]+) = \[", table, re.MULTILINE)


def main() -> int:
    parser = argparse.ArgumentParser(
        prog="scripts/lock", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--upgrade", action="store_true", help="take the newest release of each that fits")
    upgrade = parser.parse_args().upgrade
    with tempfile.TemporaryDirectory() as temporary:
        folder, tools = Path(temporary, "project"), Path(temporary, "tools")
        (folder / "plugins/nasion").mkdir(parents=True)
        (folder / "plugins/nasion/__init__.py").write_text('__version__ = "0"\n')
        (folder / "README.md").touch()
        text = project((ROOT / "pyproject.toml").read_text())
        if not upgrade:
            kept = ",\n".join(f'  "{pin}"' for pin in sorted(set(pins(LOCKS))))
            text += f"constraint-dependencies = [\n{kept}\n]\n" if kept else ""
        (folder / "pyproject.toml").write_text(text)
        subprocess.run([sys.executable, "-m", "venv", tools], check=True)
        subprocess.run([tools / "bin/pip", "install", "--quiet", UV], check=True)
        uv = [tools / "bin/uv", "--quiet", "--directory", folder]
        # Which index is asked is this machine's own business: the lock holds no address.
        environment = {**os.environ, "UV_NO_PROGRESS": "1"}
        subprocess.run([*uv, "lock", "--python", sys.executable], check=True, env=environment)
        export = [*uv, "export", "--frozen", "--no-emit-project", "--no-header", "--no-annotate", "--prune", LEFT_OUT]
        base: set[str] = set()
        LOCKS.mkdir(exist_ok=True)
        for name in ["base", *extras(text)]:
            wanted = [] if name == "base" else ["--extra", name]
            shown = subprocess.run([*export, *wanted], check=True, env=environment, stdout=subprocess.PIPE, text=True)
            told = shown.stdout.replace(f" and {MACHINES}", "").replace(f" ; {MACHINES}", "")
            found = [block for block in blocks(told) if block not in base]
            if name == "base":
                base = set(found)
            (LOCKS / f"{name}.txt").write_text(f"# Made by scripts/lock.\n{''.join(found)}")
            print(f"{name}: {len(found)} packages", file=sys.stderr)
    return 0


if __name__ == "__main__":
    try:
        sys.exit(main())
    except subprocess.CalledProcessError as failed:
        sys.exit(f"lock: {failed.cmd[0]} failed with {failed.returncode} (above); nothing more was written")
