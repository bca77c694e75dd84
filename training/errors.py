"""What can go wrong in the workshop, in one line for the person at the terminal."""


class WorkshopError(Exception):
    """Bad input or a resource that ran out; the message says what was expected, what came and what to do next."""
