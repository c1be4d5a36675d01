"""Reads what gitleaks left in a repository: its rules, its lists of what is allowed, and its reports. Its words are its own; the engine is ours."""
