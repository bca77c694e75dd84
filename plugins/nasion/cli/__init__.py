"""The commands a person types; each file is one command."""
