"""Tokens: what a client shows to say who it is.

This room owns how tokens look, how long they live and how they are kept (only a keyed hash is stored). It refuses to know what a
token may do: that is ``policy``.
"""
