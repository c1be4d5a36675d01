"""Rate limit quotas: what is stored about them, and the compiled rules that requests meet before their bodies are read.

Owns the choice of the one rule that a request counts against, and the bounded tables of who has asked how often. Refuses nothing by
itself at a handler: a request is refused before there is one.
"""
