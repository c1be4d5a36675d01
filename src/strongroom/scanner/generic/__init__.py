"""Rules for secrets of no known format: whatever is assigned to, sent as, or stored under a name that promises one.

These rules over-match on purpose. What each of them finds is a candidate that only the scorer can call a secret.
"""
