"""Judges candidates: a linear model over names, shapes and context, which says in words why."""
