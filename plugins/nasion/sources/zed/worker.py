"""The one thread that all calls of the ZED SDK are made in.

The SDK and DeepStream each switch the CUDA context of the thread they are called in; a thread of its own keeps them
apart, and the camera is opened, grabbed and closed where the SDK expects it.
"""

import queue
import threading
from concurrent.futures import Future
from typing import Any, Callable, Optional, Tuple, TypeVar

Result = TypeVar("Result")
_Item = Tuple["Future[Any]", Callable[[], Any]]


class CameraThread:
    """Does what it is given, one after the other. A daemon: a call that never returns does not keep the process."""

    def __init__(self, name: str) -> None:
        self._work: queue.Queue[Optional[_Item]] = queue.Queue()
        threading.Thread(target=self._run, name=name, daemon=True).start()

    def call(self, work: Callable[[], Result], timeout_s: Optional[float] = None) -> Result:
        """The result of ``work``, or what it raised; concurrent.futures.TimeoutError after ``timeout_s``."""
        future: Future[Result] = Future()
        self._work.put((future, work))
        return future.result(timeout_s)

    def end(self) -> None:
        """The thread ends after what it was given before."""
        self._work.put(None)

    def _run(self) -> None:
        while True:
            item = self._work.get()
            if item is None:
                return
            future, work = item
            try:
                future.set_result(work())
            except BaseException as error:
                future.set_exception(error)
            # What was handed over, a frame among it, is not kept until the next call.
            del item, future, work
