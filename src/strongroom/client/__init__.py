"""The HTTP client that the command line, the agent and the tests use: standard library only, quick to import.

It owns the wire (HTTP/1.1 over TCP, TLS or a unix socket), the settings and the token helper. It refuses to know commands,
output or any server room. No token and no value ever stands in a repr or an error of this room.
"""
