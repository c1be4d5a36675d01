"""Evidence: how the lines of an audit log prove that none was changed, added, taken away or moved, and how that is checked.

Owns the form of the chain, of checkpoints and of anchors, for those who write them and for those who verify them without the vault.
Needs the standard library alone; only signatures need ``cryptography``, which is loaded when one is made or checked.
"""
