"""`nasion locate` as a person or a script uses it: what stands on stdout, what is written, what is refused."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import cv2
import numpy as np
import pytest
import skimage.data
from nasion.cli.main import main

from tests.program import attended

if TYPE_CHECKING:
    from collections.abc import Callable

    Locate = Callable[..., "tuple[int, str, str]"]

SPOT = (100, 80)


@pytest.fixture
def locate(spot_model: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Locate:
    """Run `nasion locate` with the model that sees red; exit code, stdout, stderr."""

    def run(*arguments: object, model: Path = spot_model) -> tuple[int, str, str]:
        words = ["nasion", "locate", *map(str, arguments), "--model", str(model)]
        monkeypatch.setattr("sys.argv", words)
        code = exit_code()
        return code, *capsys.readouterr()

    return run


def exit_code() -> int:
    """Run the command in ``sys.argv``."""
    try:
        main()
    except SystemExit as ended:
        return int(ended.code or 0)
    return 0


def put(path: Path, *, strength: float = 1.0, size: tuple[int, int] = (320, 240)) -> Path:
    """Write a picture with a red spot at SPOT; ``strength`` is about what the model answers."""
    rows, columns = np.mgrid[: size[1], : size[0]]
    spot = strength * np.exp(-((columns - SPOT[0]) ** 2 + (rows - SPOT[1]) ** 2) / 72)[:, :, None]
    path.parent.mkdir(parents=True, exist_ok=True)
    cv2.imwrite(str(path), (110 * (1 - spot) + np.array([0, 0, 255]) * spot).round().astype(np.uint8))
    return path


def put_two(folder: Path) -> None:
    """Write `both.png` with a strong spot at SPOT, and a weaker one 320 pixels to the right of it."""
    halves = [cv2.imread(str(put(folder / "half.png", strength=strength))) for strength in (1.0, 0.9)]
    cv2.imwrite(str(folder / "both.png"), np.hstack([np.asarray(half) for half in halves]))


def objects(out: str) -> list[dict[str, Any]]:
    return [json.loads(line) for line in out.splitlines()]


class TestWhatIsSaid:
    def test_one_json_object_a_picture_and_nothing_else(self, locate: Locate, tmp_path: Path) -> None:
        put(tmp_path / "b.png")
        put(tmp_path / "a.png", strength=0.5)
        put(tmp_path / "sub/c.JPG", strength=0.1)
        code, out, _ = locate(tmp_path, "--json")
        assert code == 0
        unsure, sure, nobody = objects(out)
        assert unsure.keys() == {"image", "probability", "pixel", "reason"}
        assert [Path(found["image"]).name for found in (unsure, sure, nobody)] == ["a.png", "b.png", "c.JPG"]
        assert sure["reason"] is None
        assert sure["pixel"] == pytest.approx(SPOT, abs=0.5)
        assert sure["probability"] > 0.9
        assert (unsure["pixel"], unsure["reason"]) == (None, "low_probability")
        assert unsure["probability"] == pytest.approx(0.5, abs=0.05)
        assert (nobody["pixel"], nobody["reason"]) == (None, "no_face")

    def test_a_line_a_picture_for_a_person(self, locate: Locate, tmp_path: Path) -> None:
        put(tmp_path / "a.png")
        put(tmp_path / "b.png", strength=0.1)
        _, out, _ = locate(tmp_path)
        found, nobody = (line.split() for line in out.splitlines())
        assert found[0] == "person"
        assert found[-1].endswith("a.png")
        assert nobody[0] == "no_face"

    @pytest.mark.parametrize(("threshold", "reason"), [(0.4, None), (0.6, "low_probability")])
    def test_the_threshold_can_be_chosen(
        self, locate: Locate, tmp_path: Path, threshold: float, reason: str | None
    ) -> None:
        put(tmp_path / "a.png", strength=0.5)
        assert objects(locate(tmp_path, "--json", "--threshold", threshold)[1])[0]["reason"] == reason

    def test_several_persons_are_listed_only_where_they_are_asked_for(self, locate: Locate, tmp_path: Path) -> None:
        put_two(tmp_path)
        put(tmp_path / "nobody.png", strength=0.0)
        words = (tmp_path / "both.png", tmp_path / "nobody.png", "--json", "--threshold", 0.5)
        two, nobody = objects(locate(*words, "--max-persons", 2)[1])
        strongest, other = two["persons"]
        assert strongest["pixel"] == two["pixel"] == pytest.approx(SPOT, abs=1.5)
        assert other["pixel"] == pytest.approx((SPOT[0] + 320, SPOT[1]), abs=1.5)
        assert strongest["probability"] == two["probability"] > other["probability"] > 0.5
        assert nobody["persons"] == []
        assert len(objects(locate(*words, "--max-persons", 1)[1])[0]["persons"]) == 1
        assert all("persons" not in found for found in objects(locate(*words)[1]))

    def test_several_persons_are_a_line_each(self, locate: Locate, tmp_path: Path) -> None:
        put_two(tmp_path)
        _, out, _ = locate(tmp_path / "both.png", "--threshold", 0.5, "--max-persons", 4)
        assert [(line.split()[0], line.split()[-1]) for line in out.splitlines()] == [
            ("person", str(tmp_path / "both.png"))
        ] * 2

    @pytest.mark.parametrize("count", [0, 33, "many"])
    def test_a_number_of_persons_that_makes_no_sense(self, locate: Locate, tmp_path: Path, count: object) -> None:
        assert locate(put(tmp_path / "a.png"), "--max-persons", count)[0] == 2

    @pytest.mark.parametrize("size", [(1, 1), (3, 2), (1, 400), (4000, 3)])
    def test_a_picture_of_any_shape_gets_an_answer(self, locate: Locate, tmp_path: Path, size: tuple[int, int]) -> None:
        cv2.imwrite(str(tmp_path / "a.png"), np.zeros((*size, 3), np.uint8))
        code, out, _ = locate(tmp_path, "--json")
        assert (code, objects(out)[0]["pixel"]) == (0, None)

    def test_pixels_are_those_of_the_picture_as_it_lies_there(self, locate: Locate, tmp_path: Path) -> None:
        put(tmp_path / "large.png", size=(1000, 700))
        assert objects(locate(tmp_path, "--json")[1])[0]["pixel"] == pytest.approx(SPOT, abs=1.5)

    def test_a_file_name_that_is_no_utf8_is_still_json(self, locate: Locate, tmp_path: Path) -> None:
        put(tmp_path / "a.png").rename(tmp_path / os.fsdecode(b"caf\xe9.png"))
        code, out, _ = locate(tmp_path, "--json")
        assert code == 0
        assert objects(out)[0]["image"] == str(tmp_path / "caf\N{REPLACEMENT CHARACTER}.png")

    @pytest.mark.parametrize("mode", [["--json"], []])
    def test_a_reader_that_has_enough_ends_it_cleanly(self, spot_model: Path, tmp_path: Path, mode: list[str]) -> None:
        for number in range(200):
            put(tmp_path / f"{number}.png")
        words = ["locate", str(tmp_path), "--model", str(spot_model), *mode]
        with attended(
            subprocess.Popen(
                [sys.executable, "-m", "nasion", *words], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
            )
        ) as process:
            assert process.stdout is not None
            assert process.stderr is not None
            assert process.stdout.readline()
            process.stdout.close()
            said = process.stderr.read()
        assert (process.returncode, said) == (0, "")


class TestWhatCannotBeRead:
    def test_it_is_named_and_counted_and_the_others_are_done(self, locate: Locate, tmp_path: Path) -> None:
        (tmp_path / "a.png").write_text("no picture")
        (tmp_path / "b.png").touch()
        put(tmp_path / "c.png")
        code, out, err = locate(tmp_path, tmp_path / "missing.png", "--json")
        assert code == 2
        assert [found["reason"] for found in objects(out)] == ["corrupt_frame", "corrupt_frame", None, "corrupt_frame"]
        lines = err.splitlines()
        assert len(lines) == 4
        for line, part in zip(lines, ("a.png: is not a picture", "b.png: is not", "missing.png: No such", "3 of 4")):
            assert part in line

    def test_a_damaged_jpeg_is_not_trusted(self, locate: Locate, tmp_path: Path) -> None:
        whole = put(tmp_path / "whole.jpg").read_bytes()
        (tmp_path / "cut.jpg").write_bytes(whole[: len(whole) // 2])
        (tmp_path / "hole.jpg").write_bytes(whole[: len(whole) // 3] + whole[len(whole) // 2 :])
        code, out, err = locate(tmp_path, "--json")
        assert code == 2
        assert [found["reason"] for found in objects(out)] == ["corrupt_frame", "corrupt_frame", None]
        assert [line.split(": ")[1].rpartition("/")[2] for line in err.splitlines()[:2]] == ["cut.jpg", "hole.jpg"]

    def test_the_users_own_folder_is_known_without_a_shell(
        self, locate: Locate, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        put(tmp_path / "in/a.png")
        monkeypatch.setenv("HOME", str(tmp_path))
        assert locate("~/in", "~/in/a.png", "--save=~/out")[0] == 0
        assert (tmp_path / "out/a.located.jpg").is_file()

    def test_where_all_are_damaged_no_others_are_spoken_of(self, locate: Locate, tmp_path: Path) -> None:
        (tmp_path / "a.png").write_text("no picture")
        code, _, err = locate(tmp_path)
        assert code == 2
        assert err.splitlines()[-1].endswith("1 of 1 could not be read as pictures, see above")

    def test_what_a_folder_holds_besides_is_counted_and_no_fault(self, locate: Locate, tmp_path: Path) -> None:
        put(tmp_path / "a.jpg")
        (tmp_path / "b.heic").touch()
        code, out, err = locate(tmp_path, "--json")
        assert (code, len(objects(out))) == (0, 1)
        assert "1 file left out: .heic 1; HEIC is not read; convert it, e.g. with: heif-convert " in err

    def test_by_name_it_is_refused_with_the_remedy(self, locate: Locate, tmp_path: Path) -> None:
        (tmp_path / "b.heic").write_bytes(b"\0\0\0\x1cftypheic\0\0\0\0mif1heic")
        code, out, err = locate(tmp_path / "b.heic", "--json")
        assert (code, objects(out)[0]["reason"]) == (2, "corrupt_frame")
        assert "HEIC, which is not read; convert it, e.g. with: heif-convert " in err

    def test_a_folder_without_pictures(self, locate: Locate, tmp_path: Path) -> None:
        (tmp_path / "notes.txt").touch()
        code, out, err = locate(tmp_path)
        assert (code, out) == (2, "")
        assert "holds no pictures" in err
        assert len(err.splitlines()) == 1

    def test_a_file_that_is_no_model(self, locate: Locate, tmp_path: Path) -> None:
        picture = put(tmp_path / "a.png")
        code, out, err = locate(picture, model=picture)
        assert (code, out) == (2, "")
        assert "a.png" in err

    def test_a_threshold_out_of_range(self, locate: Locate, tmp_path: Path) -> None:
        assert locate(put(tmp_path / "a.png"), "--threshold", 1.5)[0] == 2


class TestSave:
    def test_the_annotated_picture_has_the_size_of_the_picture_and_shows_the_place(
        self, locate: Locate, tmp_path: Path
    ) -> None:
        put(tmp_path / "in/a.png", size=(400, 300))
        assert locate(tmp_path / "in", "--save", tmp_path / "out")[0] == 0
        before, after = cv2.imread(str(tmp_path / "in/a.png")), cv2.imread(str(tmp_path / "out/a.located.jpg"))
        assert before is not None
        assert after is not None
        assert after.shape == before.shape
        change = np.abs(after.astype(int) - before).sum(axis=2)
        near = change[SPOT[1] - 15 : SPOT[1] + 16, SPOT[0] - 15 : SPOT[0] + 16]
        assert near.max() > 200
        assert change[:, 250:].max() < 100

    def test_the_folders_below_are_kept_and_equal_names_do_not_collide(self, locate: Locate, tmp_path: Path) -> None:
        for name in ("one/walk.png", "one/walk.jpg", "one/deep/walk.png", "two/walk.png"):
            put(tmp_path / "in" / name)
        locate(tmp_path / "in/one", tmp_path / "in/two", "--save", tmp_path / "out")
        written = {str(path.relative_to(tmp_path / "out")) for path in (tmp_path / "out").rglob("*.jpg")}
        assert written == {
            "deep/walk.located.jpg",
            "walk.located.jpg",
            "walk-2.located.jpg",
            "walk-3.located.jpg",
        }

    def test_saving_beside_the_pictures_changes_none_and_a_second_run_sees_no_more(
        self, locate: Locate, tmp_path: Path
    ) -> None:
        put(tmp_path / "a.jpg")
        original = (tmp_path / "a.jpg").read_bytes()
        first = locate(tmp_path, "--json", "--save", tmp_path)[1]
        assert locate(tmp_path, "--json", "--save", tmp_path, "--force")[1] == first
        assert (tmp_path / "a.jpg").read_bytes() == original
        assert sorted(path.name for path in tmp_path.iterdir()) == ["a.jpg", "a.located.jpg"]

    def test_an_annotated_picture_given_as_input_is_not_overwritten(self, locate: Locate, tmp_path: Path) -> None:
        put(tmp_path / "a.png")
        given = put(tmp_path / "a.located.jpg", strength=0.1)
        original = given.read_bytes()
        locate(tmp_path / "a.png", given, "--save", tmp_path)
        assert given.read_bytes() == original
        assert (tmp_path / "a-2.located.jpg").exists()

    def test_what_is_there_is_replaced_only_when_told_so_and_never_what_is_read(
        self, locate: Locate, tmp_path: Path
    ) -> None:
        """Before the first picture is written; a link to a picture is replaced, the picture is not."""
        for name in ("a.png", "b.png"):
            put(tmp_path / "in" / name)
        read = (tmp_path / "in/a.png").read_bytes()
        (tmp_path / "out").mkdir()
        (tmp_path / "out/b.located.jpg").write_text("mine")
        os.link(tmp_path / "in/a.png", tmp_path / "out/a.located.jpg")
        code, out, err = locate(tmp_path / "in", "--save", tmp_path / "out")
        assert (code, out) == (2, "")
        assert "exists already" in err
        assert (tmp_path / "out/b.located.jpg").read_text() == "mine"
        code, _, err = locate(tmp_path / "in", "--save", tmp_path / "out", "--force")
        assert code == 0
        assert "wrote 2 annotated pictures" in err
        assert (tmp_path / "in/a.png").read_bytes() == read
        assert cv2.imread(str(tmp_path / "out/a.located.jpg")) is not None

    def test_a_folder_that_cannot_be_made_is_refused_before_the_search(self, locate: Locate, tmp_path: Path) -> None:
        picture = put(tmp_path / "a.png")
        code, out, err = locate(picture, "--save", picture / "out")
        assert (code, out) == (2, "")
        assert "cannot be made" in err


def test_the_model_that_is_shipped_finds_the_demos_person(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    portrait: Any = skimage.data
    cv2.imwrite(str(tmp_path / "portrait.png"), cv2.cvtColor(portrait.astronaut(), cv2.COLOR_RGB2BGR))
    monkeypatch.setattr("sys.argv", ["nasion", "locate", str(tmp_path), "--json"])
    assert exit_code() == 0
    found = objects(capsys.readouterr().out)[0]
    assert found["reason"] is None
    assert found["pixel"] == pytest.approx((225, 102), abs=11)
