"""The command line: Vault's grammar, a true API client, one file per group of commands.

It owns words, flags, prompts, output and exit codes. It refuses every server room: what it does, it does through the API
(the commands that start a server import it late, inside the command).
"""
