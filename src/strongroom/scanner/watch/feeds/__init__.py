"""The kinds of feeds: one file each, one method each."""
