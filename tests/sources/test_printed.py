"""What libraries print is kept from the terminal, and what we print is not lost afterwards."""

import os
import subprocess
import sys

import pytest
from nasion.sources.printed import captured_stderr


def test_the_lines_are_there_after_the_block_and_nowhere_else(capfd: pytest.CaptureFixture[str]) -> None:
    with captured_stderr() as lines:
        os.write(2, b"libpng error: a\nmore \xff")
        assert lines == []
    os.write(2, b"ours")
    assert lines == ["libpng error: a", "more \N{REPLACEMENT CHARACTER}"]
    assert capfd.readouterr().err == "ours"


def test_an_error_within_leaves_stderr_as_it_was(capfd: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(ValueError, match="x"), captured_stderr():
        raise ValueError("x")
    os.write(2, b"ours")
    assert capfd.readouterr().err == "ours"


def test_nothing_is_amiss_where_it_is_closed() -> None:
    program = "import os; from nasion.sources.printed import captured_stderr\nos.close(2)\n"
    program += "with captured_stderr() as lines: pass\nprint(lines)"
    ended = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=False)
    assert (ended.returncode, ended.stdout) == (0, "[]\n")
