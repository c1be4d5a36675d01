"""Untrusted durable bytes: an ordered, transactional map of text keys to versioned values.

This room owns where bytes lie and when they are safe. It refuses to know what they mean: everything that reaches it is already
encrypted, and nothing it answers is believed before the barrier has authenticated it.
"""
