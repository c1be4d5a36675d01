"""What the server counts about itself: declared metrics, the instruments that hold them, and the two forms in which they are read.

Owns names, kinds and labels. Refuses labels whose values are not from a closed set: a path, a name, a token or a value can never
stand in one.
"""
