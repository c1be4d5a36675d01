"""Auth methods: plugs that find out who somebody is, and say which token they shall get.

They know the vocabulary, encodings and cryptography, and neither tokens nor policies: making the token is the pipeline's work.
"""
