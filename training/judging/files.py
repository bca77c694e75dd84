"""Where a report goes: the page, and the same as JSON beside it."""

import json
from pathlib import Path
from typing import Any

from training.errors import WorkshopError


def check_report_path(page: Path | None) -> None:
    """WorkshopError where no report can be written to ``page``, said before minutes of judging rather than after."""
    if page is None:
        return
    if page.suffix.lower() != ".html":
        raise WorkshopError(f"--report {page}: expected a name that ends in .html; the figures go beside it as .json")
    if not page.parent.is_dir():
        raise WorkshopError(f"--report {page}: there is no folder {page.parent}; make it first or give another")
    if page.is_dir() or page.with_suffix(".json").is_dir():
        raise WorkshopError(f"--report {page}: it or its .json is a folder; give another name")


def write_report(page: Path, text: str, content: dict[str, Any]) -> None:
    """Write the page and its JSON; OSError where the system refuses."""
    page.write_text(text, encoding="utf-8")
    page.with_suffix(".json").write_text(json.dumps(content, indent=2) + "\n", encoding="utf-8")
