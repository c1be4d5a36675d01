"""Finds leaked secrets in files, histories, archives and streams. Needs no server, and imports no room of one."""
