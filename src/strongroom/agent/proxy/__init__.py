"""The proxy: other programs reach the server through the agent, over a socket of this machine.

Owns who may (by what the kernel says of the other end), what of a request goes on, and a cache of tokens and leases. Refuses what two
programs could read in two ways, and to keep any answer of which it cannot know for how long it holds.
"""
