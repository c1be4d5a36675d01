"""Bytes and texts: strict JSON with exact numbers, and base62. Pure functions; imports nothing of ours but ``logical``."""
