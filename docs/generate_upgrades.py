"""Writes the reports that upgrades.md links to: run `python docs/generate_upgrades.py` after what is printed has changed.

The pages are those of `bsatn check --format html`. With `--pictures`, Chromium shows the beginning of each as a phone does.
"""

from __future__ import annotations

import shutil
import subprocess
import sys
import tempfile
from dataclasses import replace
from pathlib import Path

import defs
from defs.migrate.checking import check, side
from defs.migrate.reports import PRINTERS
from defs.migrate.reports.model import Side

ROOT = Path(__file__).parents[1]
REPORTS = ROOT / "docs" / "upgrades"
UPGRADES = (("v1", "v2"), ("v1", "v3"), ("classic", "v1"))
_WIDTH, _HEIGHT = 412, 900


def _side(name: str) -> Side:
    source = f"vectors/modules/arena_{name}.wasm"
    return replace(side(source, lambda: defs.load(ROOT / source)), source=source)


def pages() -> dict[Path, str]:
    """Each report by its file."""
    return {REPORTS / f"{old}-{new}.html": PRINTERS["html"](check([_side(old)], _side(new))) for old, new in UPGRADES}


def picture(page: Path) -> None:
    """Take the picture of a page, beside it."""
    browser = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
    if browser is None:
        sys.exit("there is no chromium to take pictures with")
    with tempfile.TemporaryDirectory() as profile:
        command = [browser, "--headless", "--no-sandbox", "--disable-gpu", "--hide-scrollbars", f"--user-data-dir={profile}"]
        command += [f"--window-size={_WIDTH},{_HEIGHT}", f"--screenshot={page.with_suffix('.png')}", page.as_uri()]
        subprocess.run(command, check=True, capture_output=True, timeout=120)


if __name__ == "__main__":
    REPORTS.mkdir(exist_ok=True)
    for path, text in pages().items():
        path.write_text(text, "utf-8")
        if "--pictures" in sys.argv[1:]:
            picture(path)
