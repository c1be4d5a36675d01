"""Secrets engines, as plugs: each is a ``Backend`` that answers below a mount.

An engine knows the vocabulary (``logical``), ``encoding`` and ``crypto``, and no other engine. It refuses to know how a request
was authenticated or where its storage lies: both come in its ``Context``.
"""
