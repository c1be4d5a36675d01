"""The default store: one SQLite database in a folder that belongs to the server alone.

It owns the promise that a commit which returned survives the loss of power, and refuses to start wherever that promise could not
be kept: an affected SQLite, a setting that did not take, a file that others may read, a folder that another server has open.
"""

from strongroom.physical.sqlite.folder import hold_folder
from strongroom.physical.sqlite.replacement import Replacement, has_database, present_store
from strongroom.physical.sqlite.store import SqliteStore

__all__ = ["Replacement", "SqliteStore", "has_database", "hold_folder", "present_store"]
