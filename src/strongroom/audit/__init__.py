"""The audit log: who asked what, what came of it, and which keys left; never a value.

This room owns the form of a record, the keyed hashing of everything in it that could be a value, the devices that make it
durable, and the rule that without a durable record nothing happens. It refuses to know what a path means: what may be shown
is told to it, and everything else is hashed.
"""
