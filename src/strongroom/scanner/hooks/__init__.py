"""Hooks of git that scan: where they belong, what stands there already, how they come and go. What they do is in `cli/hook_run.py`."""

from __future__ import annotations

HOOKS = ("pre-commit", "pre-push", "pre-receive")
"""The hooks there are: before a commit, before a push on the side that pushes, and on the side that is pushed to."""


class HookRefused(Exception):
    """A hook cannot be put there, or taken away. The text says why, and what to do instead."""
