"""Pictures to heat maps."""
