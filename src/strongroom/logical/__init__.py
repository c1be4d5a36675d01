"""The vocabulary: the words in which every other room speaks.

This room owns the nouns (operation, request, response, path, endpoint, field, storage, error, clock, entropy, secret) and
refuses everything else: it imports only the standard library, performs no I/O and knows no room of ours.
"""
