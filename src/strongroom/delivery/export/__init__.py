"""Export: variables as one document that another program reads. One file for each family of formats; ``formats`` lists them.

A writer is a pure function from an ``Export`` to bytes. It writes what exactly one reader gives back unchanged, and refuses a
name or a value that this reader would change, with the key and the cause and never the value. The grammars are stated in
``docs/reference/export-formats.md`` and tested against the readers themselves.
"""
