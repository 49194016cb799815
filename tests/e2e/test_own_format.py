"""The guide's format of one's own, registered as a package would and read by the console script."""

import json
import os
import re
import subprocess
import sys
from pathlib import Path
from typing import Final

GUIDE: Final = Path(__file__).parents[2] / "docs" / "guide" / "own-format.md"
RECORDING: Final = {
    "version": 1,
    "interactions": [
        {
            "request": {
                "method": "POST",
                "uri": "https://models.corp.example/ask",
                "body": json.dumps({"question": "Where is my order?"}),
                "headers": {},
            },
            "response": {
                "status": {"code": 200, "message": "OK"},
                "headers": {"content-type": ["application/json"]},
                "body": {"string": json.dumps(answer)},
            },
        }
        for answer in (
            {"model": "corp-large", "billing": {"in": 1000, "cached": 400, "out": 50}},
            {"model": "corp-large"},
        )
    ],
}


def test_the_guides_format_is_read_and_priced(tmp_path: Path) -> None:
    text = GUIDE.read_text(encoding="utf-8")
    [source] = re.findall(r"```python\n# corp_models\.py\n(.*?)```", text, re.DOTALL)
    [settings] = re.findall(r"```yaml\n# tokenbudget\.yml\n(.*?)```", text, re.DOTALL)
    [entry] = re.findall(r'corp = "(.+)"', text)
    assert len(source.strip().splitlines()) <= 33

    site = tmp_path / "site"
    (site / "corp_models-1.0.dist-info").mkdir(parents=True)
    (site / "corp_models.py").write_text(source, encoding="utf-8")
    (site / "corp_models-1.0.dist-info" / "METADATA").write_text(
        "Metadata-Version: 2.1\nName: corp-models\nVersion: 1.0\n"
    )
    (site / "corp_models-1.0.dist-info" / "entry_points.txt").write_text(f"[tokenbudget.formats]\ncorp = {entry}\n")
    project = tmp_path / "project"
    project.mkdir()
    (project / "tokenbudget.yml").write_text(settings, encoding="utf-8")
    (project / "recording.json").write_text(json.dumps(RECORDING), encoding="utf-8")

    done = subprocess.run(
        [
            sys.executable,
            "-c",
            "from pytest_tokenbudget.cli import main; main()",
            "audit",
            "recording.json",
            "--format",
            "json",
        ],
        cwd=project,
        env={**os.environ, "PYTHONPATH": str(site)},
        capture_output=True,
        text=True,
        check=True,
    )
    told, untold = json.loads(done.stdout)["calls"]
    assert (told["api"], told["provider"], told["status"]) == ("corp.ask", "models.corp.example", "exact")
    assert told["usage"] == {"input": 600, "cache_read": 400, "output": 50}
    assert told["cost_usd"] == "0.00168"  # 600 x $2/M + 400 x $0.20/M + 50 x $8/M
    assert (untold["status"], untold["cost_usd"], untold["notes"]) == ("missing", None, ["no billing in the answer"])
