"""Stands for brokers that know MQTT 3.1.1 and not 5, each with the manners of real ones. It reads CONNECT strictly."""

import socket
import struct
import threading
from types import TracebackType
from typing import List, Optional, Type

from typing_extensions import Literal

#: How it answers a CONNECT of version 5: as mosquitto 1.5 does, with return code 1 of MQTT 3.1.1, and closes; as those
#: that are told to refuse it do, with MQTT 5's reason; closes without a word; or takes it for 3.1.1 and accepts.
Manner = Literal["return code 1", "reason 0x84", "closes", "takes it for 3.1.1"]

_ANSWERS = {
    "return code 1": b"\x20\x02\x00\x01",
    "reason 0x84": b"\x20\x03\x00\x84\x00",
    "closes": b"",
    "takes it for 3.1.1": b"\x20\x02\x00\x00",
}


class OldBroker:
    """Listens while it is open; ``versions`` are those that came."""

    def __init__(self, manner: Manner) -> None:
        self._manner = manner
        self._server = socket.create_server(("127.0.0.1", 0))
        self.port: int = self._server.getsockname()[1]
        self.url = f"mqtt://127.0.0.1:{self.port}"
        self.versions: List[int] = []
        self._connections: List[socket.socket] = []
        self._thread = threading.Thread(target=self._serve, daemon=True)

    def __enter__(self) -> "OldBroker":
        self._thread.start()
        return self

    def __exit__(
        self, kind: Optional[Type[BaseException]], error: Optional[BaseException], trace: Optional[TracebackType]
    ) -> None:
        self._server.shutdown(socket.SHUT_RDWR)
        self._server.close()
        for connection in self._connections:
            connection.close()
        self._thread.join()

    def _serve(self) -> None:
        while True:
            try:
                connection, _ = self._server.accept()
            except OSError:
                return
            self._connections.append(connection)
            if not connection.recv(1, socket.MSG_PEEK):
                # Somebody who only looked whether it is there.
                connection.close()
                continue
            self.versions.append(_version(connection))
            connection.sendall(_ANSWERS[self._manner])
            if self._manner != "takes it for 3.1.1":
                connection.close()


def _version(connection: socket.socket) -> int:
    """The protocol's version of the CONNECT that comes, which is read to its end."""
    assert _read(connection, 1) == b"\x10", "no CONNECT"
    length, shift = 0, 0
    while True:
        (byte,) = _read(connection, 1)
        length |= (byte & 0x7F) << shift
        shift += 7
        if not byte & 0x80:
            break
    packet = _read(connection, length)
    name_length: int = struct.unpack("!H", packet[:2])[0]
    assert packet[2 : 2 + name_length] == b"MQTT"
    return packet[2 + name_length]


def _read(connection: socket.socket, count: int) -> bytes:
    read = b""
    while len(read) < count:
        piece = connection.recv(count - len(read))
        assert piece, "the connection ended in the middle of CONNECT"
        read += piece
    return read
