"""What holds for every test."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from hypothesis import settings

# How long an example takes says how busy the machine is, and no more.
settings.register_profile("no deadlines", deadline=None)
settings.load_profile("no deadlines")


@pytest.fixture
def open_folder(tmp_path: Path) -> Path:
    """A folder that everybody may enter, with all above it."""
    for folder in (tmp_path, *tmp_path.parents):
        if folder.stat().st_uid == os.geteuid() and folder.parts[:2] == ("/", "tmp") and len(folder.parts) > 2:
            folder.chmod(0o755)
    return tmp_path
