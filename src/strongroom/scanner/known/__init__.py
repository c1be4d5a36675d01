"""Asks whether what is scanned holds a secret of ours: tokens, their forms, and who knows their digests. Needs no server room.

A scan asks through `values.KnownValues`; a server answers with an `answering.Answerer`.
"""
