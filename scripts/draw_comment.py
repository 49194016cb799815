"""Draw a comment as a forge shows it: `python scripts/draw_comment.py COMMENT.md PICTURE.png`.

Needs markdown-it-py (among the test dependencies), a Chromium, and a font with emoji such as Noto Color Emoji.
COMMENT.md is what `tokenbudget comment --output` writes.
"""

import subprocess
import sys
from pathlib import Path
from shutil import which
from tempfile import TemporaryDirectory
from typing import Final

from markdown_it import MarkdownIt

_STYLE: Final = """
body { font: 14px/1.5 -apple-system, "Segoe UI", "Noto Sans", Arial, "DejaVu Sans", "Noto Color Emoji", sans-serif;
  color: #1f2328; background: #fff; margin: 0; padding: 16px 24px; width: 912px; }
h3 { font-size: 17px; margin: 0 0 12px; } p { margin: 0 0 12px; } sub { font-size: 11px; color: #59636e; }
table { border-collapse: collapse; margin: 0 0 12px; } th, td { border: 1px solid #d1d9e0; padding: 5px 10px; }
tr:nth-child(2n) td { background: #f6f8fa; }
code { font: 12px ui-monospace, "DejaVu Sans Mono", monospace; background: #818b981f; border-radius: 6px;
  padding: 2px 5px; }
pre { background: #f6f8fa; padding: 12px; border-radius: 6px; } pre code { background: none; padding: 0; }
details { margin: 0 0 8px; }
"""
_BROWSERS: Final = ("chromium", "chromium-browser", "google-chrome")
_SIZE: Final = "--window-size=960,%d"


def main(source: Path, picture: Path, height: int) -> None:
    """Write the picture."""
    browser = next(filter(None, map(which, _BROWSERS)), None)
    if browser is None:
        message = f"None of {', '.join(_BROWSERS)} is installed."
        raise SystemExit(message)
    text = source.read_text(encoding="utf-8").replace("<details>", "<details open>", 1)
    body = MarkdownIt("commonmark").enable("table").render(text)
    with TemporaryDirectory() as folder:
        page = Path(folder) / "comment.html"
        page.write_text(f"<!doctype html><meta charset=utf-8><style>{_STYLE}</style>{body}", encoding="utf-8")
        quiet = ["--headless", "--no-sandbox", "--disable-gpu", "--disable-background-networking", "--no-first-run"]
        quiet += ["--disable-component-update", "--disable-sync", "--hide-scrollbars", f"--user-data-dir={folder}/user"]
        subprocess.run(  # noqa: S603 - a browser on this machine, on a page of ours
            [browser, *quiet, _SIZE % height, f"--screenshot={picture.resolve()}", page.as_uri()],
            check=True,
            capture_output=True,
            timeout=120,
        )


if __name__ == "__main__":
    main(Path(sys.argv[1]), Path(sys.argv[2]), int(sys.argv[3]) if len(sys.argv) > 3 else 620)  # noqa: PLR2004
