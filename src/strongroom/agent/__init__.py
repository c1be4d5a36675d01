"""The agent: stands beside programs that cannot log in, keeps a token alive for them, and gives them what they need as files,
as their environment, or as systemd's credentials.

It is a client of the API like the command line, and knows nothing of the server's rooms. It refuses to execute anything that
its configuration does not name, and to write anywhere but where that says.
"""
