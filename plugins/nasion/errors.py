"""Errors that end a command, and the exit code of each. Their text says what was expected, what came, what to do."""


class NasionError(Exception):
    """A failure while running."""

    exit_code = 1


class InputError(NasionError):
    """Bad input or usage: a file, a flag, a configuration value, a model, a calibration."""

    exit_code = 2


class DependencyError(NasionError):
    """A library or program is missing; the text says how to get it."""

    exit_code = 3


class HardwareError(NasionError):
    """A camera, GPU or accelerator is missing."""

    exit_code = 4


class WatchdogError(NasionError):
    """Nothing moved for too long."""

    exit_code = 5
