from __future__ import annotations

from pathlib import Path

import pytest

from strongroom.client.errors import BadSettings
from strongroom.client.token_helper import TokenHelper, find_token
from strongroom.logical.secret import Secret


def environ(home: Path, **more: str) -> dict[str, str]:
    return {"HOME": str(home), **more}


def test_a_stored_token_is_found_again(tmp_path: Path) -> None:
    TokenHelper(environ(tmp_path)).store(Secret("s.first"))
    TokenHelper(environ(tmp_path)).store(Secret("s.second"))
    assert find_token(environ(tmp_path)) == Secret("s.second")
    assert [path.name for path in tmp_path.iterdir()] == [".vault-token"]


def test_the_file_is_for_its_owner_alone(tmp_path: Path) -> None:
    TokenHelper(environ(tmp_path)).store(Secret("s.token"))
    assert (tmp_path / ".vault-token").stat().st_mode & 0o777 == 0o600


def test_the_environment_comes_first(tmp_path: Path) -> None:
    TokenHelper(environ(tmp_path)).store(Secret("s.file"))
    assert find_token(environ(tmp_path, BAO_TOKEN="s.env")) == Secret("s.env")


def test_a_final_newline_is_not_part_of_the_token(tmp_path: Path) -> None:
    (tmp_path / ".vault-token").write_text("s.token\n")
    assert find_token(environ(tmp_path)) == Secret("s.token")


def test_no_token_is_none(tmp_path: Path) -> None:
    assert find_token(environ(tmp_path)) is None


def test_a_planted_link_is_replaced_and_not_written_through(tmp_path: Path) -> None:
    victim = tmp_path / "victim"
    victim.write_text("untouched")
    (tmp_path / ".vault-token").symlink_to(victim)
    TokenHelper(environ(tmp_path)).store(Secret("s.token"))
    assert victim.read_text() == "untouched"
    assert not (tmp_path / ".vault-token").is_symlink()


def test_a_store_that_fails_leaves_the_old_token_and_no_scrap(tmp_path: Path) -> None:
    folder = tmp_path / ".vault-token"
    folder.mkdir()
    with pytest.raises(BadSettings) as caught:
        TokenHelper(environ(tmp_path)).store(Secret("CANARY"))
    assert "CANARY" not in str(caught.value)
    assert [path.name for path in tmp_path.iterdir()] == [".vault-token"]


def test_erasing_forgets_and_does_not_mind_nothing(tmp_path: Path) -> None:
    helper = TokenHelper(environ(tmp_path))
    helper.store(Secret("s.token"))
    helper.erase()
    helper.erase()
    assert helper.get() is None


def test_another_file_can_be_named(tmp_path: Path) -> None:
    named = environ(tmp_path, STRONGROOM_TOKEN_PATH=str(tmp_path / "elsewhere"))
    TokenHelper(named).store(Secret("s.token"))
    assert (tmp_path / "elsewhere").read_text() == "s.token"


def test_an_external_helper_keeps_the_token_and_gets_it_on_standard_input(tmp_path: Path) -> None:
    program = tmp_path / "keeper"
    program.write_text(
        f'#!/bin/sh\nd="{tmp_path}/kept"\n'
        'case "$1" in get) cat "$d" 2>/dev/null;; store) cat >"$d";; erase) rm -f "$d";; esac\nexit 0\n'
    )
    program.chmod(0o700)
    helper = TokenHelper(environ(tmp_path, VAULT_TOKEN_HELPER=str(program), PATH="/usr/bin:/bin"))
    helper.store(Secret("s.outside"))
    assert helper.get() == Secret("s.outside")
    helper.erase()
    assert helper.get() is None
    assert not (tmp_path / ".vault-token").exists()


def test_an_external_helper_that_fails_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(BadSettings, match="exit code 1"):
        TokenHelper(environ(tmp_path, VAULT_TOKEN_HELPER="/bin/false")).store(Secret("CANARY"))
    with pytest.raises(BadSettings, match="absolute"):
        TokenHelper(environ(tmp_path, VAULT_TOKEN_HELPER="keeper")).get()
