"""What a wheel holds besides the code: manual pages, completion for shells, units of systemd. Called by hatchling for both wheels.

All of it is made from the tree of commands, now, so that it cannot be out of date. An editable installation gets none of it.
"""

from __future__ import annotations

import shutil
import sys
import tempfile
from pathlib import Path
from typing import Any

from hatchling.builders.hooks.plugin.interface import BuildHookInterface

HERE = Path(__file__).resolve().parent
COMPLETION_FILES = {
    "bash": "bash-completion/completions/{}",
    "zsh": "zsh/site-functions/_{}",
    "fish": "fish/vendor_completions.d/{}.fish",
}


class SharedFiles(BuildHookInterface):  # type: ignore[type-arg]  # of no configuration of its own
    """Makes the files in a folder of its own and has them put below ``share`` of whatever the wheel is installed to."""

    PLUGIN_NAME = "custom"

    def initialize(self, version: str, build_data: dict[str, Any]) -> None:
        """Make the files and name them."""
        if version != "standard":
            return
        self.made = Path(tempfile.mkdtemp(prefix="strongroom-share-"))
        for name, content in shared_files(units=self.config["units"]).items():
            path = self.made / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(content)
            build_data["shared_data"][str(path)] = f"share/{name}"

    def finalize(self, version: str, build_data: dict[str, Any], artifact_path: str) -> None:
        """Take the folder away."""
        del build_data, artifact_path
        if version == "standard":
            shutil.rmtree(self.made)


def shared_files(units: list[str]) -> dict[str, bytes]:
    """The content of each file, by its path below ``share``. ``units`` are the files of systemd that go with this wheel."""
    sys.path.insert(0, str(HERE.parent / "src"))
    sys.dont_write_bytecode = True
    from strongroom.cli.completion import NAMES, SHELLS, script
    from strongroom.cli.manual import SECTION, pages

    found = {f"man/man{SECTION}/{name}": text.encode("ascii") for name, text in pages().items()}
    for shell in SHELLS:
        for name in NAMES:
            found[COMPLETION_FILES[shell].format(name)] = script(shell, name).encode()
    for unit in units:
        found[f"strongroom/systemd/{unit}"] = (HERE / "systemd" / unit).read_bytes()
    return found
