"""Delivery: a secret reaches a process without a file and without a command line.

This room decides which variables a program gets and becomes that program. It refuses to know where secrets come from: they
are handed in, already read.
"""
