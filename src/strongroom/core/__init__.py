"""The way of a request: one function on one screen (``pipeline``), the unit of work it happens in, and batches of such units."""
