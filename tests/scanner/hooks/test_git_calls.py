"""Real commits and real pushes over installed hooks: what is refused, what passes, and what is said of it."""

from __future__ import annotations

import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from tests.scanner.hiding.repositories import number_of
from tests.scanner.hooks.conftest import SETTINGS, Home, script

Secret = Callable[[str], str]


@pytest.fixture
def server(home: Home) -> Path:
    """A bare repository with a pre-receive hook of ours."""
    folder = home.repository("server.git", "--bare")
    assert home.hook("install", str(folder)).exit_code == 0
    return folder


def clone(home: Home, server: Path) -> Path:
    """A repository with one commit that is on the server."""
    folder = home.repository("clone")
    home.git("remote", "add", "origin", str(server), cwd=folder)
    home.commit(folder, a_txt="a\n")
    assert home.git("push", "--quiet", "--set-upstream", "origin", "main", cwd=folder).exit_code == 0
    return folder


class TestPreCommit:
    def test_a_secret_is_refused_and_never_shown(self, home: Home, repository: Path, secret: Secret) -> None:
        home.hook("install", cwd=repository)
        done = home.commit(repository, a_py=f"\n\n{secret('a')}")
        assert done.exit_code == 1
        assert done.err.splitlines()[:2] == [
            "strongroom: 1 secret in what is committed:",
            "  a.py:3  Made-up token (made-up)",
        ]
        assert number_of("a").decode()[:6] not in done.out + done.err
        assert home.git("log", cwd=repository).exit_code == 128
        (repository / "a.py").write_text("nothing\n")
        assert home.commit(repository).exit_code == 0

    def test_a_mark_allows_a_line_and_is_counted(self, home: Home, repository: Path, secret: Secret) -> None:
        home.hook("install", cwd=repository)
        done = home.commit(repository, a_py=secret("a").rstrip() + '  # strongroom:allow reason="made up"\n')
        assert done.exit_code == 0
        assert "1 place allowed" in done.err

    def test_git_can_go_without_it(self, home: Home, repository: Path, secret: Secret) -> None:
        home.hook("install", cwd=repository)
        home.commit(repository, a_py=secret("a"))
        assert home.git("commit", "--no-verify", "-m", "x", cwd=repository).exit_code == 0

    def test_the_former_hook_runs_first_and_what_it_stages_is_scanned(
        self, home: Home, repository: Path, secret: Secret
    ) -> None:
        former = f"#!/bin/sh\necho former\nprintf '{secret('staged by a hook')}' > b.py\ngit add b.py\n"
        script(repository / ".git/hooks/pre-commit", former)
        home.hook("install", cwd=repository)
        done = home.commit(repository, a_py="nothing\n")
        assert done.exit_code == 1
        assert "former" in done.out + done.err
        assert "b.py:1" in done.err

    def test_a_former_hook_that_refuses_is_heard_with_its_exit_code(self, home: Home, repository: Path) -> None:
        script(repository / ".git/hooks/pre-commit", "#!/bin/sh\nexit 7\n")
        home.hook("install", cwd=repository)
        assert home.run(".git/hooks/pre-commit", cwd=repository).exit_code == 7
        assert home.commit(repository, a_py="nothing\n").exit_code == 1

    def test_a_former_hook_that_was_switched_off_stays_so(self, home: Home, repository: Path) -> None:
        script(repository / ".git/hooks/pre-commit", "#!/bin/sh\nexit 7\n", 0o644)
        home.hook("install", cwd=repository)
        assert home.commit(repository, a_py="nothing\n").exit_code == 0

    def test_a_commit_of_one_file_in_a_linked_working_tree_is_scanned(
        self, home: Home, repository: Path, secret: Secret
    ) -> None:
        home.commit(repository, a_txt="a\n")
        home.hook("install", cwd=repository)
        home.git("worktree", "add", "--quiet", "../linked", cwd=repository)
        linked = home.path / "linked"
        (linked / "a.txt").write_text("more\n")
        (linked / "b.py").write_text(secret("staged only"))
        home.git("add", "--all", cwd=linked)
        assert home.git("commit", "-m", "one", "a.txt", cwd=linked).exit_code == 0
        assert "b.py:1" in home.git("commit", "-m", "two", cwd=linked).err

    def test_a_working_tree_apart_from_its_repository_is_scanned(self, home: Home, secret: Secret) -> None:
        folder = home.repository("apart.git", "--bare")
        tree = home.path / "tree"
        tree.mkdir()
        (tree / ".strongroom-scan.toml").write_text(SETTINGS)
        (tree / "a.py").write_text(secret("apart"))
        script(folder / "hooks/pre-commit", f"#!/bin/sh\nexec {sys.executable} -P -m strongroom hook run pre-commit\n")
        words = ("git", f"--git-dir={folder}", f"--work-tree={tree}")
        assert home.run(*words, "add", "--all", cwd=home.path).exit_code == 0
        done = home.run(*words, "commit", "-m", "x", cwd=home.path)
        assert (done.exit_code, "a.py:1" in done.err) == (1, True)

    def test_what_cannot_be_scanned_is_refused_and_said(self, home: Home, repository: Path) -> None:
        home.hook("install", cwd=repository)
        (repository / "a.zip").write_bytes(b"PK\3\4" + b"\0" * 26 + b"PK\5\6" + b"\xff" * 18)
        home.git("add", "--all", cwd=repository)
        done = home.git("commit", "-m", "x", cwd=repository)
        assert done.exit_code == 1
        assert "could not be scanned" in done.err
        (repository / ".strongroom-scan.toml").write_text('exclude = ["*.zip"]\n' + SETTINGS)
        assert home.git("commit", "-m", "x", cwd=repository).exit_code == 0


class TestPrePush:
    def test_only_what_is_pushed_is_scanned_and_a_commit_on_top_hides_nothing(
        self, home: Home, server: Path, secret: Secret
    ) -> None:
        folder = clone(home, server)
        home.hook("install", "pre-push", cwd=folder)
        home.commit(folder, b_py=secret("b"))
        commit = home.git("rev-parse", "HEAD", cwd=folder).out.strip()
        home.commit(folder, b_py="gone\n")
        done = home.git("push", cwd=folder)
        assert done.exit_code == 1
        assert f"  b.py:1 in commit {commit[:12]}  Made-up token (made-up)" in done.err
        assert "remote:" not in done.err
        home.git("reset", "--quiet", "--soft", "HEAD~2", cwd=folder)
        home.commit(folder, c_py="c\n")
        assert home.git("push", cwd=folder).exit_code == 0

    def test_the_former_hook_runs_afterwards_and_hears_the_same(self, home: Home, server: Path, secret: Secret) -> None:
        folder = clone(home, server)
        script(
            folder / ".git/hooks/pre-push", f'#!/bin/sh\necho "$1 $2" > {home.path}/heard; cat >> {home.path}/heard\n'
        )
        home.hook("install", "pre-push", cwd=folder)
        home.commit(folder, b_py=secret("b"))
        assert home.git("push", cwd=folder).exit_code == 1
        assert not (home.path / "heard").exists()
        home.git("commit", "--amend", "-m", "fixed", cwd=folder)
        home.git("rm", "--quiet", "b.py", cwd=folder)
        home.git("commit", "--quiet", "--amend", "--allow-empty", "-m", "fixed", cwd=folder)
        assert home.git("push", cwd=folder).exit_code == 0
        first, second = (home.path / "heard").read_text().splitlines()
        assert first == f"origin {server}"
        assert second.startswith("refs/heads/main ")

    def test_a_former_hook_that_reads_nothing_does_no_harm(self, home: Home, server: Path) -> None:
        folder = clone(home, server)
        script(folder / ".git/hooks/pre-push", "#!/bin/sh\nexit 0\n")
        home.hook("install", "pre-push", cwd=folder)
        lines = "".join(f"refs/heads/b{at} {'0' * 40} refs/heads/b{at} {'0' * 40}\n" for at in range(20_000))
        done = home.run(".git/hooks/pre-push", "origin", "x", cwd=folder, given=lines.encode())
        assert (done.exit_code, done.err) == (0, "")

    def test_deletions_are_not_scanned(self, home: Home, server: Path) -> None:
        folder = clone(home, server)
        home.git("push", "--quiet", "origin", "main:other", cwd=folder)
        home.hook("install", "pre-push", cwd=folder)
        (folder / ".strongroom-scan.toml").write_text("not toml at all")
        assert home.git("push", "origin", ":other", cwd=folder).exit_code == 0

    def test_a_shallow_clone_pushes_what_it_has(self, home: Home, server: Path, secret: Secret) -> None:
        clone(home, server)
        assert home.git("clone", "--quiet", "--depth=1", f"file://{server}", "shallow").exit_code == 0
        folder = home.path / "shallow"
        (folder / ".strongroom-scan.toml").write_text(SETTINGS)
        home.hook("install", "pre-push", cwd=folder)
        home.commit(folder, b_py="b\n")
        assert home.git("push", cwd=folder).exit_code == 0
        home.commit(folder, b_py=secret("b"))
        assert home.git("push", cwd=folder).exit_code == 1


class TestPreReceive:
    def test_a_push_is_refused_with_all_its_references_and_nothing_is_kept(
        self, home: Home, server: Path, secret: Secret
    ) -> None:
        folder = clone(home, server)
        home.git("tag", "-a", "v1", "-m", f"release {secret('tag')}", cwd=folder)
        home.commit(folder, b_py=secret("b"))
        done = home.git("push", "origin", "main", "v1", "main:other", cwd=folder)
        assert done.exit_code == 1
        said = [line.removeprefix("remote: ").rstrip() for line in done.err.splitlines() if "remote: " in line]
        assert said[0] == "strongroom: 2 secrets in what is pushed:"
        assert any(line.startswith("  b.py:1 in commit ") for line in said)
        assert any(line.startswith("  <tag message>:1") for line in said)
        assert number_of("b").decode()[:6] not in done.err
        assert home.git("for-each-ref", "--format=%(refname)", cwd=server).out.split() == ["refs/heads/main"]
        assert home.git("cat-file", "-e", home.git("rev-parse", "HEAD", cwd=folder).out.strip(), cwd=server).exit_code

    def test_forced_pushes_deletions_and_references_to_what_is_there_pass(
        self, home: Home, server: Path, secret: Secret
    ) -> None:
        folder = clone(home, server)
        (server / "hooks/pre-receive").rename(server / "off")
        home.commit(folder, b_py=secret("long ago"))
        home.git("push", "--quiet", cwd=folder)
        (server / "off").rename(server / "hooks/pre-receive")
        assert home.git("push", "--quiet", "origin", "main:again", "HEAD~1:refs/heads/older", cwd=folder).exit_code == 0
        home.git("reset", "--quiet", "--hard", "HEAD~1", cwd=folder)
        home.commit(folder, c_py="c\n")
        assert home.git("push", "--quiet", "--force", cwd=folder).exit_code == 0
        assert home.git("push", "--quiet", "origin", ":again", cwd=folder).exit_code == 0
        home.commit(folder, b_py=secret("another"))
        assert home.git("push", "--quiet", "--force", cwd=folder).exit_code == 1

    def test_names_cannot_write_to_the_terminal_of_who_pushes(self, home: Home, server: Path, secret: Secret) -> None:
        folder = clone(home, server)
        (folder / "\x1b]0;owned\x07\n\u202e.py").write_text(secret("name"))
        home.git("add", "--all", cwd=folder)
        home.git("commit", "--quiet", "-m", "x", cwd=folder)
        done = home.git("push", cwd=folder)
        assert done.exit_code == 1
        assert "\x1b" not in done.err.replace("\x1b[K", "")
        assert "\\x1b]0;owned\\x07\\x0a\\u202e.py:1" in done.err

    def test_a_long_list_of_places_is_cut(self, home: Home, server: Path, secret: Secret) -> None:
        folder = clone(home, server)
        home.commit(folder, **{f"f{at}_py": secret(str(at)) for at in range(30)})
        done = home.git("push", cwd=folder)
        assert "and 10 more places" in done.err
        assert len(done.err.splitlines()) < 35

    def test_settings_that_were_pushed_are_not_those_of_the_server(
        self, home: Home, server: Path, secret: Secret
    ) -> None:
        folder = clone(home, server)
        (folder / ".strongroomignore").write_text("**\n")
        (folder / ".strongroom-scan.toml").write_text('level = "provider"\nexclude = ["**"]\n')
        home.commit(folder, b_py=secret("b"))
        assert home.git("push", cwd=folder).exit_code == 1
        (server / ".strongroomignore").write_text("b.py  # made up\n")
        assert home.git("push", cwd=folder).exit_code == 0

    def test_a_reference_to_a_folder_or_to_a_file_is_scanned_as_well(
        self, home: Home, server: Path, secret: Secret
    ) -> None:
        folder = clone(home, server)
        home.commit(folder, b_py=secret("b"))
        for name in ("HEAD^{tree}", "HEAD:b.py"):
            done = home.git("push", "origin", f"{name}:refs/tags/t", cwd=folder)
            assert done.exit_code == 1
            assert "1 secret in what is pushed" in done.err
        assert home.git("for-each-ref", "--format=%(refname)", cwd=server).out.split() == ["refs/heads/main"]

    def test_a_push_option_counts_only_where_the_server_says_so(self, home: Home, server: Path, secret: Secret) -> None:
        folder = clone(home, server)
        home.git("config", "receive.advertisePushOptions", "true", cwd=server)
        home.commit(folder, b_py=secret("b"))
        push = ("push", "-o", "one", "-o", "let-me", "origin", "main")
        assert home.git(*push, cwd=folder).exit_code == 1
        home.git("config", "strongroom.pushOption", "let-me", cwd=server)
        assert home.git("push", "-o", "let", "origin", "main", cwd=folder).exit_code == 1
        done = home.git(*push, cwd=folder)
        assert done.exit_code == 0
        assert "b.py:1" in done.err
        assert "accepted all the same" in done.err

    def test_a_scan_that_breaks_off_refuses_and_says_no_more_than_that(self, home: Home, server: Path) -> None:
        folder = clone(home, server)
        home.commit(folder, b_py="b\n")
        (server / ".strongroom-scan.toml").write_text("level = 1\n")
        done = home.git("push", cwd=folder)
        assert done.exit_code == 1
        assert "level is one of" in done.err
        assert "Traceback" not in done.err

    @pytest.mark.parametrize("given", [b"x\n", b"\xff\xfe a b\n", b"--all " + b"0" * 40 + b" refs/heads/a\n"])
    def test_what_git_does_not_say_is_refused(self, home: Home, server: Path, given: bytes) -> None:
        done = home.run("hooks/pre-receive", cwd=server, given=given, GIT_DIR=".")
        assert done.exit_code == 2
        assert "not given as git gives them" in done.err


def test_a_program_that_is_gone_refuses_and_says_how_to_go_on(home: Home, repository: Path) -> None:
    home.hook("install", cwd=repository)
    hook = repository / ".git/hooks/pre-commit"
    text = hook.read_text()
    hook.write_text(text.replace(sys.executable, "/nowhere/python"))
    done = home.commit(repository, a_txt="a\n")
    assert done.exit_code == 1
    assert "not found on PATH" in done.err
    assert "git commit --no-verify" in done.err


def test_the_program_on_path_comes_first_unless_its_folder_is_a_relative_one(home: Home, repository: Path) -> None:
    home.hook("install", cwd=repository)
    script(home.path / "bin/strongroom", '#!/bin/sh\necho "called: $*" >&2\n')
    script(repository / "bin/strongroom", "#!/bin/sh\necho hostile >&2\n")
    done = home.run(".git/hooks/pre-commit", cwd=repository, PATH=f"{home.path}/bin:/usr/bin:/bin")
    assert done.err == "called: hook run pre-commit --\n"
    for path in ("bin:/usr/bin:/bin", ".:./bin:/usr/bin:/bin"):
        assert "hostile" not in home.run(".git/hooks/pre-commit", cwd=repository, PATH=path).err


@pytest.mark.parametrize("path", ["", ":", "/nowhere:", "relative:/nowhere", "/nowhere::/nowhere"])
def test_modules_of_the_repository_are_not_loaded(home: Home, repository: Path, path: str) -> None:
    home.hook("install", cwd=repository)
    for name in ("click", "strongroom", "tomllib", "sitecustomize", "usercustomize"):
        (repository / f"{name}.py").write_text("raise SystemExit('hostile')\n")
    done = home.run(".git/hooks/pre-commit", cwd=repository, PYTHONPATH=path)
    assert (done.exit_code, done.err) == (0, "")


@pytest.mark.parametrize("shell", ["dash", "bash --posix", "busybox sh"])
def test_every_shell_reads_the_scripts(home: Home, repository: Path, shell: str) -> None:
    words = shell.split(" ")
    if home.run("which", words[0]).exit_code:
        pytest.skip(f"{words[0]} is not here")
    for hook in ("pre-commit", "pre-push", "pre-receive"):
        home.hook("install", hook, cwd=repository)
        path = str(repository / ".git/hooks" / hook)
        done = home.run(*words, path, "origin", "x", cwd=repository)
        assert (done.exit_code, done.err) == (0, "")
