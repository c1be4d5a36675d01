from __future__ import annotations

from pathlib import Path

import pytest

from tools import clients

PINNED = "# Made.\nansible==1.2 ; x \\\n    --hash=sha256:aa \\\n    --hash=sha256:ab\nansible-core==3 \\\n    --hash=sha256:bb\n"


def test_the_package_of_collections_is_told_from_the_others() -> None:
    collections, others = clients.split(PINNED)
    assert collections == "ansible==1.2 ; x \\\n    --hash=sha256:aa \\\n    --hash=sha256:ab\n"
    assert others == "# Made.\nansible-core==3 \\\n    --hash=sha256:bb\n"
    with pytest.raises(OSError, match="does not pin"):
        clients.split(others)


def test_what_was_left_half_done_is_no_installation(tmp_path: Path) -> None:
    pinned, stamp = tmp_path / "pinned", tmp_path / "stamp"
    pinned.write_text("1")
    assert not clients.is_there(stamp, pinned)
    stamp.write_text("0")
    assert not clients.is_there(stamp, pinned)
    stamp.write_text("1")
    assert clients.is_there(stamp, pinned)


def test_what_cannot_be_installed_is_said_and_left_out(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def fails() -> None:
        raise OSError("the registry does not answer")

    monkeypatch.setattr(clients, "install_node", fails)
    monkeypatch.setattr(clients, "install_ansible", lambda: None)
    clients.main()
    assert capsys.readouterr().err == (
        "could not install node-vault, so its journey is skipped: the registry does not answer\n"
    )


def test_the_pinned_files_name_what_the_journeys_need() -> None:
    collections, others = clients.split(clients.PINNED.read_text())
    assert collections.count("ansible==") == 1
    assert all(f"\n{name}==" in others for name in ("ansible-core", "hvac"))
    lock = clients.NODE_LOCK.read_text()
    assert '"node_modules/node-vault"' in lock
    assert "resolved" not in lock, "no addresses are committed"
