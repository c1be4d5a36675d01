"""Findings as text: one module for each format. None shows a secret unless it was asked to, and none trusts a file's name."""
