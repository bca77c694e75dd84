"""Messages to and from the broker."""
