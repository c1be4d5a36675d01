"""The server process: its configuration, and how it is put together, started and stopped."""
