"""Watches public places: asks declared feeds what is new, scans what they list, remembers where it was. Trusts nothing that a feed says."""
