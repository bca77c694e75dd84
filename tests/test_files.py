"""Text files from every editor."""

from pathlib import Path

import pytest
from nasion.errors import InputError
from nasion.files import NotTextError, read_text, text_of


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16"])
def test_text_of_every_editor_is_the_same_text(encoding: str) -> None:
    assert text_of("Küche: 1\r\n".encode(encoding)) == "Küche: 1\r\n"


def test_utf_16_with_the_big_end_first() -> None:
    assert text_of(b"\xfe\xff\0a") == "a"


@pytest.mark.parametrize("content", ["a: 1\nname: Küche".encode("latin-1"), b"a\n\xff\xfe", b"a\n\x80"])
def test_what_is_no_utf_8_names_the_line_and_the_remedy(content: bytes) -> None:
    with pytest.raises(NotTextError, match=r"not UTF-8 text \(line 2\); save it as UTF-8"):
        text_of(content)


def test_a_file_that_is_no_text_is_named(tmp_path: Path) -> None:
    (tmp_path / "a.yaml").write_bytes(b"\xe9")
    with pytest.raises(InputError, match=r"table .*a\.yaml is not UTF-8 text"):
        read_text(tmp_path / "a.yaml", 10, what="table", too_large="10 bytes")
