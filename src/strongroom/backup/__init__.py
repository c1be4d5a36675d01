"""Backups: one file that holds a whole store as it was at one moment, and that only the vault's own keys open.

This room owns the form of the file, writing it from a snapshot, and finding whatever was done to it since. It refuses to know where records
are restored to, and who may ask for a backup.
"""
