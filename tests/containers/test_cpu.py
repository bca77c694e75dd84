"""The image `cpu`, really built and run: small, humble, healthy, and honest when it is not."""

import json
import re
from pathlib import Path

from tests.containers.conftest import HARDENED, Start
from tests.containers.engine import REPOSITORY, USER, Docker


def test_it_has_at_most_700_mb(docker: Docker, cpu_image: str) -> None:
    assert docker.inspect(cpu_image)["Size"] <= 700e6


def test_it_is_for_an_ordinary_user_and_keeps_no_secret_of_its_building(docker: Docker, cpu_image: str) -> None:
    about = docker.inspect(cpu_image)["Config"]
    assert about["User"] == f"{USER}:{USER}"
    assert not any("CERT" in variable for variable in about["Env"])
    left = docker(
        "run", "--rm", "--network=none", "--entrypoint", "sh", cpu_image, "-c", "ls /run/secrets; which pip gcc; true"
    )
    assert left.stdout == ""


def test_with_every_right_taken_away_it_is_healthy_and_ends_when_asked(
    docker: Docker, cpu_image: str, start: Start
) -> None:
    name = start(cpu_image)
    docker.wait_for_health(name, "healthy")
    status = docker("exec", name, "cat", "/proc/1/status").stdout
    assert re.search(rf"^Uid:\s+{USER}\s", status, re.MULTILINE)
    assert set(re.findall(r"^Cap\w+:\s+(\w+)$", status, re.MULTILINE)) == {"0" * 16}
    assert re.search(r"^NoNewPrivs:\s+1$", status, re.MULTILINE)
    assert docker("exec", name, "touch", "/opt/nasion/x", check=False).returncode != 0
    assert docker("exec", name, "nasion", "health").stdout.startswith("well: cam0: last frame ")
    docker("stop", "--time", "30", name)
    assert docker.inspect(name)["State"]["ExitCode"] == 0
    assert "frames processed" in docker.logs(name)


def test_the_first_command_of_the_readme_prints_messages(docker: Docker, cpu_image: str) -> None:
    readme = (REPOSITORY / "README.md").read_text()
    [command] = re.findall(r"^docker (run .* nasion:cpu .*)$", readme, re.MULTILINE)
    assert cpu_image == "nasion:cpu"
    said = docker(*command.split(), "--frames", "3")
    assert [json.loads(line)["seq"] for line in said.stdout.splitlines()] == [0, 1, 2]


def test_any_user_may_run_it(docker: Docker, cpu_image: str, start: Start) -> None:
    """Secrets belong to somebody; whoever that is, is named at the start."""
    name = start(cpu_image, "run", "--source", "demo:", "--mqtt", "none", options=("--user", "4711:4711"))
    docker.wait_for_health(name, "healthy")


def test_a_program_that_stands_still_is_unhealthy(docker: Docker, cpu_image: str, start: Start) -> None:
    name = start(cpu_image, options=("--health-start-period=0s",))
    docker.wait_for_health(name, "healthy")
    docker("kill", "--signal", "STOP", name)
    docker.wait_for_health(name, "unhealthy")
    assert "the program stands still" in docker.inspect(name)["State"]["Health"]["Log"][-1]["Output"]


def test_a_broken_model_ends_it_as_bad_input_and_it_was_never_healthy(
    docker: Docker, cpu_image: str, start: Start, tmp_path: Path
) -> None:
    model = tmp_path / "model.onnx"
    model.write_bytes(b"\x08\x07no network")
    model.chmod(0o644)
    tmp_path.chmod(0o755)
    name = start(
        cpu_image,
        *("run", "--source", "demo:", "--mqtt", "none", "--model", "/models/model.onnx"),
        options=("--volume", f"{model}:/models/model.onnx:ro"),
    )
    assert docker("wait", name).stdout.strip() == "2"
    state = docker.inspect(name)["State"]
    assert state["Health"]["Status"] != "healthy"
    assert "Traceback" not in docker.logs(name)
    assert "/models/model.onnx" in docker.logs(name).splitlines()[-1]


def test_the_elements_are_there_though_much_was_left_out(docker: Docker, cpu_image: str) -> None:
    elements = "appsrc avimux fakesink identity jpegenc queue videobox videoconvert videocrop videoscale"
    lacking = docker(
        *("run", "--rm", "--network=none", *HARDENED, "--entrypoint", "sh", cpu_image, "-c"),
        f"for one in {elements}; do gst-inspect-1.0 --exists $one || echo $one; done",
    )
    assert lacking.stdout == ""


def test_our_own_elements_run_under_gst_launch(docker: Docker, cpu_image: str) -> None:
    launched = docker(
        *("run", "--rm", "--network=none", *HARDENED, "--env", "GST_PLUGIN_PATH=/opt/nasion/plugins"),
        *("--entrypoint", "gst-launch-1.0", cpu_image, "-m", "nasionsrc", "uri=demo:?frames=2", "mode=every-frame"),
        *("!", "nasioninfer", "!", "nasionlocate", "!", "nasionrange", "!", "nasionoverlay"),
        *("!", "nasionpublish", "url=none", "post-messages=true", "!", "fakesink"),
    )
    assert launched.stdout.count("nasion-person") == 2
