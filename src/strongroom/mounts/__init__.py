"""Mounts: which plug answers below which path.

This room owns the mount table and the search from a path to a mount. It refuses to know what the plugs do.
"""
