"""Strongroom: one platform for the whole life of a secret."""

__version__ = "0.1.0"
