"""The system's own API: everything below ``sys/`` and ``auth/token/``, one file per area.

Areas declare paths like every other plug and go through the same pipeline. They are the only handlers that reach the vault itself
(seal, mounts, policies, tokens, audit), through the ``Node`` they are given.
"""
