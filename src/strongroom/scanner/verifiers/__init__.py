"""Asks the issuer of a secret whether it lives: off unless it is asked for, and never anybody but the issuer."""
