"""Consumers: which version of which secret each program runs, as the program itself reports it.

Owns the records and their bounds. Refuses to know who may report or read what, and never holds a value.
"""
