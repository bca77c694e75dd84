"""The image `jetson` on a base that is none of NVIDIA's: what it shares with all bases, and nothing of DeepStream.

What only the real base and a device can show stands in docker/FIRST_DEVICE.md.
"""

import pytest

from tests.containers.conftest import Start
from tests.containers.engine import USER, Docker


def test_the_program_in_it_runs_with_every_right_taken_away(docker: Docker, jetson_image: str, start: Start) -> None:
    name = start(jetson_image, "run", "--source", "demo:", "--engine", "onnxruntime", "--mqtt", "none")
    docker.wait_for_health(name, "healthy")


def test_engines_and_the_sdks_files_can_be_written_by_any_user(docker: Docker, jetson_image: str, start: Start) -> None:
    name = start(
        *("-c", "touch $NASION_ENGINES/x /usr/local/zed/resources/x /usr/local/zed/settings/x"),
        options=("--user", "4711:4711", "--entrypoint", "sh", jetson_image),
    )
    assert docker("wait", name).stdout.strip() == "0", docker.logs(name)


@pytest.mark.parametrize(
    ("script", "arguments", "code", "said"),
    [
        (
            "build_engine",
            "--dry-run --tensorrt 8.5.2 --gpu orin",
            0,
            "--saveEngine=/var/lib/nasion/engines/trt8.5.2_orin/",
        ),
        ("build_engine", "--gpu orin", 3, "trtexec is not at /usr/src/tensorrt/bin/trtexec"),
        ("bench_trt", "x.engine", 2, "expected a name as nvinfer gives it"),
    ],
)
def test_it_makes_and_times_engines_as_far_as_it_can_without_tensorrt(
    docker: Docker, jetson_image: str, start: Start, script: str, arguments: str, code: int, said: str
) -> None:
    options = ("--entrypoint", f"/opt/nasion/scripts/{script}", jetson_image)
    name = start(*arguments.split(), options=options)
    assert docker("wait", name).stdout.strip() == str(code), docker.logs(name)
    assert said in docker.logs(name)


def test_it_differs_from_cpu_only_where_it_must(docker: Docker, cpu_image: str, jetson_image: str) -> None:
    cpu, jetson = (docker.inspect(image)["Config"] for image in (cpu_image, jetson_image))
    assert {name: jetson[name] for name in ("User", "WorkingDir", "Entrypoint")} == {
        "User": f"{USER}:{USER}",
        "WorkingDir": cpu["WorkingDir"],
        "Entrypoint": cpu["Entrypoint"],
    }
    assert set(cpu["Env"]) < set(jetson["Env"])
    assert jetson["Healthcheck"]["Test"] == cpu["Healthcheck"]["Test"]
    assert set(jetson["Volumes"]) == {
        "/var/lib/nasion/engines",
        "/usr/local/zed/resources",
        "/usr/local/zed/settings",
    }


def test_the_tools_to_build_pyds_stay_out_of_it(docker: Docker, jetson_image: str) -> None:
    left = docker(
        "run", "--rm", "--network=none", "--entrypoint", "sh", jetson_image, "-c", "which g++ cmake git pip; true"
    )
    assert left.stdout == ""
