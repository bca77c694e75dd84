"""The stack that signals are handled on: a thread's own business, which a library must not leave changed."""

import ctypes
from contextlib import contextmanager
from typing import Iterator


class SignalStack(ctypes.Structure):
    """`stack_t` of signal.h on Linux."""

    _fields_ = (("sp", ctypes.c_void_p), ("flags", ctypes.c_int), ("size", ctypes.c_size_t))


@contextmanager
def signal_stack_kept() -> Iterator[None]:
    """This thread handles signals afterwards where it did before.

    OpenVINO gives the thread that compiles a network another stack for signals, and with the network takes it away and
    the one before back. Where networks do not end in the reverse order of their making, a stack stays that is no more,
    and the next signal, a Ctrl-C say, ends the process.
    """
    before = signal_stack()
    try:
        yield
    finally:
        ctypes.CDLL(None).sigaltstack(ctypes.byref(before), None)


def signal_stack() -> SignalStack:
    """This thread's, as it is."""
    stack = SignalStack()
    ctypes.CDLL(None).sigaltstack(None, ctypes.byref(stack))
    return stack
