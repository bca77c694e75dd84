"""A way to the broker through which the tests decide what becomes of the bytes."""

import socket
import threading
from typing import Callable


class NetworkPath:
    """Carries every connection to its ``port`` on to the broker's, both ways.

    ``begin``: called for each connection; what it returns is called with all that has arrived, before it is handed on,
    and says whether it is.
    """

    def __init__(self, port: int, begin: Callable[[], Callable[[], bool]]) -> None:
        self._broker = ("127.0.0.1", port)
        self._begin = begin
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port: int = self._listener.getsockname()[1]
        threading.Thread(target=self._serve, daemon=True).start()

    def _serve(self) -> None:
        while True:
            try:
                near, _ = self._listener.accept()
            except OSError:
                return
            far = socket.create_connection(self._broker)
            passes = self._begin()
            for source, sink in ((near, far), (far, near)):
                threading.Thread(target=self._carry, args=(source, sink, passes), daemon=True).start()

    @staticmethod
    def _carry(source: socket.socket, sink: socket.socket, passes: Callable[[], bool]) -> None:
        try:
            while True:
                data = source.recv(4096)
                if not passes():
                    return
                if not data:
                    sink.shutdown(socket.SHUT_WR)
                    return
                sink.sendall(data)
        except OSError:
            return

    def close(self) -> None:
        self._listener.close()
