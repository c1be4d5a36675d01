"""Pure functions over bytes, each citing its standard. Keys, time and randomness come in as arguments; nothing is kept."""
