"""The script that is installed as a hook: POSIX shell, as short as may be. It finds the program, and refuses where there is none.

A repository is never trusted with what runs: a program is taken from an absolute folder of PATH only, and Python is kept from loading modules out of the
working folder, which is where git runs hooks.
"""

from __future__ import annotations

import shlex
from dataclasses import dataclass

FORMER = ".before-strongroom"
"""How the name of a hook goes on that was there before."""
_MARK = b"#!/bin/sh\n# strongroom hook "
_FORWARD_MARK = b"#!/bin/sh\n# strongroom forwards to the repository's own hook."

_HEAD = """\
#!/bin/sh
# strongroom hook {name}, version 1. `strongroom hook uninstall{reach} {name}` takes it out, and puts back what was here.
"""

_RUN = """\
case ":${{PYTHONPATH-}}:" in *::* | *:[!/]*) unset PYTHONPATH ;; esac
export PYTHONSAFEPATH=1

scan() {{
    program=$(command -v strongroom 2>/dev/null)
    case $program in
    /*) "$program" hook run {name} -- "$@" ;;
    *) {fallback} ;;
    esac
}}

missing() {{
    echo "strongroom: the program that looks for secrets is not found on PATH{nor}, so {refused}." >&2
    echo "strongroom: {advice}" >&2
    return 1
}}
"""

_OTHER = """
others() {{
    other={others}
    [ ! -x "$other" ] || {call}"$other" "$@"
}}
"""
_OTHERS = """
others() {{
    for other in {others}; do
        [ ! -x "$other" ] || {call}"$other" "$@" || return
    done
}}
"""
_FORMER_PLACE = '"${{0%/*}}/{name}{suffix}"'
# Where hooks stand for all repositories, git does not run a repository's own one, and we have to.
_OWN_PLACE = '"$(git rev-parse --git-common-dir)/hooks/{name}"'

# What is there first: it may change what is committed.
_AFTER_OTHERS = """
others "$@" || exit
scan "$@"
"""

# Ours first: another one may publish something, as that of git-lfs does. Git says once, on standard input, what is pushed.
_BEFORE_OTHERS = """
updates=$(cat && echo .)
updates=${{updates%.}}
said() {{ printf %s "$updates" 2>/dev/null; }}
said | scan "$@" || exit
others "$@"
"""

_FORWARD = """
own="$(git rev-parse --git-common-dir)/hooks/${0##*/}"
[ ! -x "$own" ] || exec "$own" "$@"
"""

_REFUSED = {
    "pre-commit": ("nothing was committed", "Once without it: git commit --no-verify"),
    "pre-push": ("nothing was pushed", "Once without it: git push --no-verify"),
    "pre-receive": ("the push is refused", "Whoever runs this server can help."),
}


@dataclass(frozen=True, slots=True)
class Script:
    """What a hook's script does. `interpreter` is the Python that has our program, or empty where the script must name no machine's paths."""

    name: str
    interpreter: str = ""
    is_global: bool = False

    def render(self) -> bytes:
        """The script's text."""
        refused, once = _REFUSED[self.name]
        quoted = shlex.quote(self.interpreter)
        fallback = f'if [ -x {quoted} ]; then {quoted} -P -m strongroom hook run {self.name} -- "$@"; else missing; fi'
        values = {
            "name": self.name,
            "suffix": FORMER,
            "reach": " -global" if self.is_global else "",
            "fallback": fallback if self.interpreter else "missing",
            "nor": " nor where it was installed" if self.interpreter else "",
            "refused": refused,
            "advice": f"pip install 'strongroom[scanner]' installs it. {once}" if self.name != "pre-receive" else once,
        }
        return (_HEAD + _RUN + self._calls()).format(**values).encode()

    def _calls(self) -> str:
        places = [_FORMER_PLACE, *([_OWN_PLACE] if self.is_global else [])]
        has_input = self.name != "pre-commit"
        others = (
            (_OTHERS if self.is_global else _OTHER)
            .replace("{others}", " ".join(places))
            .replace("{call}", "said | " if has_input else "")
        )
        return others + (_BEFORE_OTHERS if has_input else _AFTER_OTHERS)


def forwarding() -> bytes:
    """The script that stands for a hook of which we have none, in a folder for all repositories."""
    return _FORWARD_MARK + b"\n" + _FORWARD.lstrip().encode()


def is_ours(content: bytes) -> bool:
    """Whether a hook was written by us."""
    return content.startswith(_MARK) or is_forwarding(content)


def is_forwarding(content: bytes) -> bool:
    """Whether it only calls the repository's own hook."""
    return content.startswith(_FORWARD_MARK)
