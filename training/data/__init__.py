"""Pictures and their labels: read, imported, checked, prepared, augmented, loaded."""
