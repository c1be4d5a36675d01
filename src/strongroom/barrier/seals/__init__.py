"""The seals: what keeps the root key while nobody uses it. One file per kind, one protocol in ``seal``."""
