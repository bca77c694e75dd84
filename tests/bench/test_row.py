"""The table that grows by one row a release."""

from pathlib import Path
from typing import Any, Dict

import pytest
from nasion.bench.row import COLUMNS, grown, read_table, row
from nasion.errors import InputError


def report(version: str = "0.2.0", **parts: Any) -> Dict[str, Any]:
    return {
        "machine": {
            "versions": {"nasion": version},
            "revision": "abc",
            "processor": "Some | CPU",
            "usable_cores": 2,
            "load": 0.1,
        },
        "networks": {"centre": {"name": "lite", "version": "2", "precision": "int8", "threads": 1}},
        "parts": parts,
    }


def cells(line: str) -> Dict[str, str]:
    return dict(zip(COLUMNS, (cell.strip() for cell in line.strip("|").split("|"))))


class TestRow:
    def test_what_was_not_measured_is_a_dash(self) -> None:
        line = cells(row(report()))
        assert line["network"] == "lite 2, int8, centre, 1 thread(s)"
        assert list(line.values())[5:] == ["–"] * (len(COLUMNS) - 5)

    def test_a_bar_in_a_name_does_not_tear_the_table(self) -> None:
        assert row(report()).count("|") == len(COLUMNS) + 1

    def test_figures_stand_in_their_columns(self) -> None:
        ratio = {"median": 0.951, "min": 0.9, "max": 0.99}
        figure = {"ms": 4.2, "rate_ratio": ratio}
        thirty = {
            "rate": 30,
            "depth": "stereo pair",
            "latency_ms": {"median": 7.0},
            "beyond_network_ms": 2.5,
            "frames": 60,
            "drops": {"queue": 1},
        }
        line = cells(
            row(
                report(
                    bare={"by_view": {"centre": {"figures": {"network": figure, "pipeline": figure}}}},
                    peers={"by_view": {"centre": {"figures": {"YuNet": figure}, "beyond_network": ratio}}},
                    paced={"rows": [{**thirty, "rate": 15}, thirty, {**thirty, "depth": "depth map"}]},
                    cameras={
                        "by_mode": {"every frame": {"figures": {"2": {"cost": ratio}}}, "live": {"figures": {"1": {}}}}
                    },
                    startup={"seconds": ratio},
                    memory={"growth_mib": 0.0123},
                )
            )
        )
        within = "0.95 (0.90–0.99)"
        assert list(line.values())[5:] == [
            "4.20",
            within,
            within,
            within,
            "stereo pair 7.0 / 2.5, depth map 7.0 / 2.5",
            "1 of 60",
            within,
            within,
            "0.012",
        ]


class TestTable:
    def test_it_begins_with_what_it_is_and_grows_by_a_row(self) -> None:
        first = grown("", row(report("0.1.0")))
        second = grown(first, row(report("0.2.0")))
        assert second.startswith("# Benchmarks\n")
        assert [line.split(" | ")[0] for line in second.splitlines()[-2:]] == ["| 0.1.0", "| 0.2.0"]

    def test_a_release_that_is_measured_again_keeps_one_row(self) -> None:
        text = grown(grown(grown("", row(report("0.1.0"))), row(report("0.1.0.1"))), row(report("0.1.0", startup={})))
        assert [line.split(" | ")[0] for line in text.splitlines()[-2:]] == ["| 0.1.0", "| 0.1.0.1"]

    @pytest.mark.parametrize("text", ["# Shopping\n\n- milk\n", "| release | other |\n| --- | --- |\n| 1 | 2 |\n"])
    def test_another_file_is_refused_before_anything_is_measured(self, tmp_path: Path, text: str) -> None:
        path = tmp_path / "list.md"
        path.write_text(text)
        with pytest.raises(InputError, match="does not end in a table"):
            read_table(path)

    def test_bytes_that_are_no_text_are_refused(self, tmp_path: Path) -> None:
        path = tmp_path / "list.md"
        path.write_bytes(b"\xff\xfe\x00")
        with pytest.raises(InputError, match="name another --append FILE"):
            read_table(path)

    def test_it_is_read_back_as_it_was_written(self, tmp_path: Path) -> None:
        path = tmp_path / "benchmarks.md"
        assert read_table(path) == ""
        path.write_text(grown("", row(report())), encoding="utf-8")
        assert read_table(path) == path.read_text(encoding="utf-8")
