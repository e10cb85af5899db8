"""A proxy that breaks connections when an answer is on its way, so that the client cannot know what has been done."""

import socket
import threading
from typing import Self

CHUNK = 1 << 20


class BreakingProxy:
    """Passes requests on to a port of this machine. The answers with these numbers, from 1, never arrive."""

    def __init__(self, port: int, *, breaks: set[int]) -> None:
        self._port = port
        self._breaks = breaks
        self._answers = 0
        self.broken = 0
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.url = f"http://127.0.0.1:{self._listener.getsockname()[1]}"
        self._threads = [threading.Thread(target=self._accept)]

    def __enter__(self) -> Self:
        self._threads[0].start()
        return self

    def __exit__(self, *_: object) -> None:
        self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        for thread in self._threads:
            thread.join()

    def _accept(self) -> None:
        while True:
            try:
                client, _ = self._listener.accept()
            except OSError:
                return
            thread = threading.Thread(target=self._pass_on, args=(client,))
            self._threads.append(thread)
            thread.start()

    def _pass_on(self, client: socket.socket) -> None:
        """One connection: a request, its answer, and so on."""
        with client, socket.create_connection(("127.0.0.1", self._port)) as service:
            while request := _read_all(client):
                service.sendall(request)
                answer = _read_all(service)
                self._answers += 1
                if self._answers in self._breaks:
                    self.broken += 1
                    return
                client.sendall(answer)


def _read_all(connection: socket.socket) -> bytes:
    """A whole request or answer; nothing when the other side is gone."""
    data = connection.recv(CHUNK)
    head, separator, body = data.partition(b"\r\n\r\n")
    length = next((int(line[15:]) for line in head.lower().split(b"\r\n") if line.startswith(b"content-length:")), 0)
    while separator and len(body) < length:
        more = connection.recv(CHUNK)
        data, body = data + more, body + more
    return data
