"""``strongroom doctor``: whether a server is set up as securely as it can be, looked at from beside it.

It reads files, the kernel's tables and, for whoever is logged in, the server's own answers. It changes nothing and shows no secret.
"""
