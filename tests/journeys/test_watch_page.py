"""The page on watching public places is true: its configurations can be read, its commands run, its tables have every kind and setting."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

from tests.tidy.source import ROOT

from strongroom.scanner.watch import config
from strongroom.scanner.watch.kinds import KINDS

PAGE = (ROOT / "docs" / "how-to" / "watch-public-places.md").read_text()


def blocks(language: str) -> list[str]:
    return re.findall(rf"^```{language}\n(.*?)^```", PAGE, re.MULTILINE | re.DOTALL)


def test_every_configuration_of_the_page_can_be_read() -> None:
    read = [config.parse_watch_config(text, "watch.toml", Path()) for text in blocks("toml")]
    assert {feed.kind for settings in read for feed in settings.feeds} == set(KINDS) - {"gitlab-snippets"}


def test_every_command_of_the_page_works(tmp_path: Path) -> None:
    (tmp_path / "watch.toml").write_text(blocks("toml")[0])
    path = f"{Path(sys.executable).parent}:{os.environ['PATH']}"
    done = subprocess.run(
        ["bash", "-c", "set -euo pipefail\n" + "\n".join(blocks("bash"))],
        cwd=tmp_path,
        env={"HOME": str(tmp_path), "PATH": path, "GITLAB_TOKEN": "made-up"},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert len(done.stdout.splitlines()) == 6
    assert (tmp_path / "gitlab.token").stat().st_mode & 0o777 == 0o600


def test_every_kind_and_every_setting_has_its_row() -> None:
    rows = "\n".join(line for line in PAGE.splitlines() if line.startswith("| "))
    names = {*KINDS, *config._SHARED, *config._OF_FEED, *(key for kind in KINDS.values() for key in kind.keys)}
    assert [name for name in sorted(names - {"name", "kind"}) if f"`{name}`" not in rows] == []
    assert [
        name
        for name in config._TOP
        if name not in config._SHARED and f"`{name}`" not in PAGE and f"[[{name}]]" not in PAGE
    ] == []
