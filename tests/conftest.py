"""What holds for every test."""

from __future__ import annotations

from hypothesis import settings

# How long an example takes says how busy the machine is, and no more.
settings.register_profile("no deadlines", deadline=None)
settings.load_profile("no deadlines")
