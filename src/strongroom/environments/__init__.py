"""Environments: sets of mounts that stay apart, one more sensitive than the other.

This room owns what an environment is, which mount belongs to which, and what that forbids: a token that is bound to others, a change
without a stated reason. It refuses to know what a policy allows; that is asked first, and its yes is not enough.
"""
