"""Connections whose every byte the test decides."""

import select
import socket
import time
from collections.abc import Callable

from tests.support.service import KEY, Service

HEAD = f"Host: localhost\r\nAuthorization: Bearer {KEY}\r\nContent-Type: application/json\r\n".encode()


class Wire:
    """A connection to the service; `small` has the kernel keep little of what is not read."""

    def __init__(self, service: Service, *, small: bool = False, timeout: float = 60) -> None:
        self.socket = socket.socket()
        if small:
            self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        self.socket.settimeout(timeout)
        self.socket.connect(("127.0.0.1", service.port))
        self._received = b""

    def send(self, data: bytes) -> None:
        self.socket.sendall(data)

    def answer(self) -> tuple[int, bytes, bytes]:
        """The next answer's status, head and body."""
        while b"\r\n\r\n" not in self._received:
            self._receive()
        head, _, rest = self._received.partition(b"\r\n\r\n")
        length = content_length(head)
        while len(rest) < length:
            self._receive()
            rest = self._received.partition(b"\r\n\r\n")[2]
        self._received = rest[length:]
        return int(head[9:12]), head.lower(), rest[:length]

    def final_answer(self) -> tuple[int, bytes, bytes]:
        """The next answer that is none of the interim ones, which say that the service still works on it."""
        answer = self.answer()
        while answer[0] == 100:
            answer = self.answer()
        return answer

    def shut_down(self) -> None:
        """Say that nothing more is sent; answers may still come."""
        self.socket.shutdown(socket.SHUT_WR)

    def rest(self) -> bytes:
        """All that comes until the service closes the connection, in whichever way."""
        try:
            while piece := self.socket.recv(65_536):
                self._received += piece
        except ConnectionResetError:
            pass
        return self._received

    def has_something(self) -> bool:
        """True if an answer has come, or the end."""
        return bool(select.select([self.socket], [], [], 0)[0])

    def is_closed(self) -> bool:
        """True if the service has closed the connection."""
        self.socket.setblocking(False)
        try:
            return self.socket.recv(1, socket.MSG_PEEK) == b""
        except BlockingIOError:
            return False
        except ConnectionResetError:
            return True

    def close(self) -> None:
        self.socket.close()

    def _receive(self) -> None:
        piece = self.socket.recv(65_536)
        if not piece:
            raise ConnectionError("closed before the answer was complete")
        self._received += piece


def content_length(head: bytes) -> int:
    lengths = [line.split(b":")[1] for line in head.lower().split(b"\r\n") if line.startswith(b"content-length:")]
    return int(lengths[0]) if lengths else 0


def post(path: str, body: bytes, *, headers: bytes = b"") -> bytes:
    """A request as bytes."""
    return b"POST %b HTTP/1.1\r\n%b%bContent-Length: %d\r\n\r\n%b" % (path.encode(), HEAD, headers, len(body), body)


def chunked(path: str, *pieces: bytes, headers: bytes = b"", trailers: bytes = b"") -> bytes:
    """A request as bytes whose body comes in chunks; `trailers` follow it."""
    chunks = b"".join(b"%x\r\n%b\r\n" % (len(piece), piece) for piece in pieces)
    head = b"POST %b HTTP/1.1\r\n%b%bTransfer-Encoding: chunked\r\n\r\n" % (path.encode(), HEAD, headers)
    return head + chunks + b"0\r\n" + trailers + b"\r\n"


def eventually(condition: Callable[[], bool], seconds: float = 60) -> bool:
    """Wait until it is so, or return False."""
    deadline = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > deadline:
            return False
        time.sleep(0.05)
    return True
