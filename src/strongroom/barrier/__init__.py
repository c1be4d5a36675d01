"""Between the trusted and the untrusted: what passes it outwards is encrypted and bound to its place, what passes inwards is proved.

This room owns the keys (root key, keyring, seals), the format of every stored record, transactions over the store, and the
states uninitialized, sealed and unsealed. It refuses to know what the records mean.
"""
