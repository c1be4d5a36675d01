from __future__ import annotations

from pathlib import Path

import pytest

from strongroom.audit.devices.file_options import FILE_OPTIONS
from strongroom.audit.options import COMMON_OPTIONS

DOCUMENT = Path(__file__).parents[2] / "docs" / "formats" / "audit.md"


@pytest.mark.parametrize("option", [*COMMON_OPTIONS, *FILE_OPTIONS])
def test_every_option_of_a_device_is_in_the_document(option: str) -> None:
    assert f"`{option}`" in DOCUMENT.read_text()
