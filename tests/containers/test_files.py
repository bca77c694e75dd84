"""The files that images are made of agree with each other and with the program. No engine is needed for these."""

import hashlib
import os
import re
import subprocess
from pathlib import Path
from typing import Dict, List

import pytest
import typer
import yaml
from nasion.checks.matrix import RELEASES, fits, release_of
from nasion.cli.main import app
from nasion.health import ENVIRONMENT

from tests.containers.engine import REPOSITORY, USER
from tests.program import attended

DOCKER = REPOSITORY / "docker"
DOCKERFILE = (DOCKER / "Dockerfile").read_text()
README = (REPOSITORY / "README.md").read_text()
JETSONS = sorted((DOCKER / "jetson").glob("*.env"))
STEPS = sorted((DOCKER / "steps").iterdir())


def variables(file: Path) -> Dict[str, str]:
    lines = [line for line in file.read_text().splitlines() if not line.startswith("#")]
    return {name: value.strip('"') for name, _, value in (line.partition("=") for line in lines)}


def numbers(version: str) -> "tuple[int, ...]":
    return tuple(int(part) for part in version.split("."))


def test_hadolint_finds_nothing(hadolint: str) -> None:
    # DL3008: the distribution's own releases are the pin; its mirrors keep no older package versions.
    done = subprocess.run(
        [hadolint, "--ignore", "DL3008", str(DOCKER / "Dockerfile")], capture_output=True, text=True, check=False
    )
    assert (done.returncode, done.stdout) == (0, "")


@pytest.mark.parametrize("file", JETSONS, ids=lambda file: file.stem)
class TestEveryKindOfJetson:
    def test_it_tells_all_that_the_image_asks_and_nothing_else(self, file: Path) -> None:
        asked = set(re.findall(r"^ARG (\w+)=", DOCKERFILE, re.MULTILINE)) - {"CPU_IMAGE"}
        assert set(variables(file)) == asked
        override = yaml.safe_load((DOCKER / "compose.jetson.yaml").read_text())
        assert set(override["services"]["nasion"]["build"]["args"]) == asked

    def test_its_versions_go_together(self, file: Path) -> None:
        told = variables(file)
        release = release_of(numbers(told["L4T"]))
        assert release in RELEASES
        deepstream = re.search(r":(\d+\.\d+)-samples", told["DEEPSTREAM_IMAGE"])
        assert deepstream
        assert fits(numbers(deepstream[1]), release.deepstream)
        how, version = told["PYDS"].split()
        assert how == "source" or numbers(version) == release.pyds
        row = next(line for line in README.splitlines() if f"`docker/jetson/{file.name}`" in line)
        assert row.endswith(f"| {deepstream[1]} |")
        assert set(re.findall(r"\b[567]\.[\d.]+\b", row.rpartition("|")[0])) <= set(
            re.findall(r"[\d.]+", file.read_text())
        )
        # A wheel of pyds wants NumPy older than 2, and so does Python 3.8; pyzed for newer Pythons wants 2.
        assert told["PYTHON_PINS"] == ("numpy<2" if release.python == (3, 8) else "numpy>=2")
        assert how == ("wheel" if release.python == (3, 8) else "source")


def test_without_arguments_the_jetson_image_is_that_of_an_orin() -> None:
    defaults = dict(re.findall(r'^ARG (\w+)="?([^"\n]*)"?$', DOCKERFILE, re.MULTILINE))
    told = variables(DOCKER / "jetson/orin.env")
    assert {name: defaults[name] for name in told if name != "PYTHON_PINS"} == {
        name: value for name, value in told.items() if name != "PYTHON_PINS"
    }


def test_the_program_and_who_asks_for_its_health_mean_the_same_file() -> None:
    assert len(re.findall(rf"\b{ENVIRONMENT}=/tmp/", DOCKERFILE)) == 2
    assert DOCKERFILE.count('CMD ["python", "-m", "nasion.health"]') == 2


def test_nothing_is_privileged() -> None:
    for file in DOCKER.glob("compose*.yaml"):
        for service in yaml.safe_load(file.read_text())["services"].values():
            assert "privileged" not in service
            assert service.get("network_mode") is None


def test_the_jetsons_groups_are_two_also_where_there_is_no_group_render() -> None:
    """compose refuses the same one twice."""
    service = yaml.safe_load((DOCKER / "compose.jetson.yaml").read_text())["services"]["nasion"]
    defaults = [re.fullmatch(r"\$\{\w+:-(\d+)\}", group) for group in service["group_add"]]
    assert [default[1] for default in defaults if default] == ["44", str(USER)]


class TestAZedX:
    """compose.gmsl.yaml: what Stereolabs' own command mounts for a camera on GMSL, without its rights."""

    SERVICE = yaml.safe_load((DOCKER / "compose.gmsl.yaml").read_text())["services"]["nasion"]

    def test_it_gets_the_daemons_of_the_host(self) -> None:
        mounts = {mount["source"]: mount["target"] for mount in self.SERVICE["volumes"]}
        assert mounts == {
            path: path
            for path in (
                "/tmp/argus_socket",
                "/var/nvidia/nvcam/settings",
                "/etc/systemd/system/zed_x_daemon.service",
            )
        }
        assert self.SERVICE["pid"] == "host"

    def test_nothing_is_made_on_the_host_where_it_is_missing(self) -> None:
        """Docker would make a folder /tmp/argus_socket, where NVIDIA's daemon could make no socket any more."""
        assert [mount["bind"]["create_host_path"] for mount in self.SERVICE["volumes"]] == [False] * 3

    def test_it_changes_nothing_else(self) -> None:
        assert set(self.SERVICE) == {"pid", "volumes"}

    @pytest.mark.parametrize("page", ["README.md", "docker/compose.jetson.yaml", "docker/FIRST_DEVICE.md"])
    def test_who_reads_of_a_jetson_reads_of_it(self, page: str) -> None:
        assert "compose.gmsl.yaml" in (REPOSITORY / page).read_text()


@pytest.mark.parametrize("step", [*STEPS, DOCKER / "entrypoint"], ids=lambda step: step.name)
def test_every_step_can_be_started(step: Path) -> None:
    assert os.access(step, os.X_OK)
    subprocess.run(["bash", "-n", str(step)], check=True)


@pytest.mark.parametrize(
    ("step", "arguments", "said"),
    [
        ("pyds", ["/venv", "conda"], "conda is no way to get it; expected none, wheel or source"),
        ("zed_sdk", ["5.0"], "made for one L4T"),
    ],
)
def test_a_step_says_what_it_expects(step: str, arguments: List[str], said: str) -> None:
    done = subprocess.run([str(DOCKER / "steps" / step), *arguments], capture_output=True, text=True, check=False)
    assert done.returncode != 0
    assert said in done.stderr


def test_an_installer_that_is_not_the_expected_one_is_not_run(tmp_path: Path) -> None:
    fetch, ran = tmp_path / "wget", tmp_path / "ran"
    fetch.write_text(f'#!/bin/sh\nprintf "#!/bin/sh\\ntouch {ran}\\n" >"$3"\n')
    fetch.chmod(0o755)
    done = subprocess.run(
        [str(DOCKER / "steps/zed_sdk"), "5.0", "36.4", "0" * 64],
        env={"PATH": f"{tmp_path}:/usr/bin:/bin", "TMPDIR": str(tmp_path)},
        capture_output=True,
        text=True,
        check=False,
    )
    expected = hashlib.sha256(f"#!/bin/sh\ntouch {ran}\n".encode()).hexdigest()
    assert done.returncode == 1
    assert f"SHA-256 of the installer: {expected}" in done.stdout
    assert "not the expected one" in done.stderr
    assert not ran.exists()


class TestTheEntrypoint:
    """It checks before it runs, with a `nasion` that only notes how it was called."""

    @pytest.fixture
    def calls(self, tmp_path: Path) -> Path:
        program = tmp_path / "nasion"
        program.write_text(f'#!/bin/sh\nprintf "%s\\n" "$*" >>{tmp_path}/calls\n[ "$1" = run ] && exit 5 || exit 3\n')
        program.chmod(0o755)
        return tmp_path / "calls"

    def run(self, calls: Path, *arguments: str) -> int:
        environment = {"PATH": f"{calls.parent}:/usr/bin:/bin"}
        return subprocess.run([str(DOCKER / "entrypoint"), *arguments], env=environment, check=False).returncode

    def test_a_check_comes_first_and_does_not_decide(self, calls: Path) -> None:
        assert (
            self.run(
                calls,
                *("run", "--source", "demo:", "--json", "--mode", "live"),
                *("--mqtt=none", "--view", "fine", "--precision", "float"),
            )
            == 5
        )
        assert calls.read_text().splitlines() == [
            "check --source demo: --mqtt=none --view fine --precision float",
            "run --source demo: --json --mode live --mqtt=none --view fine --precision float",
        ]

    def test_it_ends_when_asked_while_it_checks(self, calls: Path) -> None:
        slow = calls.parent / "nasion"
        slow.write_text(f'#!/bin/sh\nprintf "%s\\n" "$1" >>{calls}\nexec sleep 600\n')
        environment = {"PATH": f"{calls.parent}:/usr/bin:/bin"}
        command = [str(DOCKER / "entrypoint"), "run", "--source", "demo:"]
        with attended(subprocess.Popen(command, env=environment)) as started:
            # The shell makes the file first and writes the line into it later.
            while not (calls.exists() and calls.read_text()):
                assert started.poll() is None
            started.terminate()
            assert started.wait() == 0
        assert calls.read_text().splitlines() == ["check"]

    def test_other_commands_are_started_as_they_are(self, calls: Path) -> None:
        self.run(calls, "health", "--json")
        assert calls.read_text().splitlines() == ["health --json"]

    def test_it_hands_on_just_the_flags_that_check_has_in_common_with_run(self) -> None:
        commands = typer.main.get_group(app).commands
        check, run = (
            {name for parameter in commands[command].params for name in parameter.opts} for command in ("check", "run")
        )
        line = next(line for line in (DOCKER / "entrypoint").read_text().splitlines() if "--source |" in line)
        assert set(re.findall(r"--\w+", line)) == (check & run) - {"--json", "--help"}
