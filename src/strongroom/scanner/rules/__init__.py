"""What secrets look like, provider by provider. `builtin.PROVIDER_RULES` is the registry."""
