"""Memory that the processes of one server share, and whose turn it is to change it.

Made before the processes part, so that it is the same memory for all of them. Owns nothing of what the numbers mean, and holds no key and no
value of anybody: what is counted by name is found by a keyed digest of the name.
"""
