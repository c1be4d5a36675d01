"""The edge: bytes in, requests out; answers in, bytes out.

This room owns sockets, TLS, the strict subset of HTTP/1.1 that we speak, every limit on size and time, and the one table of
status codes. It refuses to know what a request means: it imports ``logical`` and ``encoding`` and nothing else of ours.
"""
