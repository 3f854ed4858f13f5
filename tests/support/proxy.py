"""A network path to a server that can stall half-open: nothing passes any more, and nothing is closed."""

from __future__ import annotations

import socket
import threading
from contextlib import suppress
from typing import Self

from cleanupctl.core.urls import parse_url


class Proxy:
    """Forwards TCP on loopback to the server of a URL, until it is told to stall."""

    def __init__(self, url: str) -> None:
        place = parse_url(url)
        assert place.host
        assert place.port
        self._target = (place.host, place.port)
        self._passes = threading.Event()
        self._passes.set()
        self._ended = False
        self._listener = socket.create_server(("127.0.0.1", 0), backlog=128)
        self._sockets: list[socket.socket] = []
        self.port = self._listener.getsockname()[1]
        self.url = url.replace(f"{place.host}:{place.port}", f"127.0.0.1:{self.port}")
        threading.Thread(target=self._listen, daemon=True).start()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._ended = True
        self._passes.set()
        for one in (self._listener, *self._sockets):
            with suppress(OSError):
                one.shutdown(socket.SHUT_RDWR)
            one.close()

    def stall(self) -> None:
        """From now on take everything, also new connections, and pass nothing on."""
        self._passes.clear()

    def go_on(self) -> None:
        """Pass on what has come in the meantime, and what comes."""
        self._passes.set()

    def _listen(self) -> None:
        while not self._ended:
            try:
                client, _ = self._listener.accept()
            except OSError:
                return
            self._sockets.append(client)
            threading.Thread(target=self._connect, args=(client,), daemon=True).start()

    def _connect(self, client: socket.socket) -> None:
        self._passes.wait()
        try:
            server = socket.create_connection(self._target)
        except OSError:
            client.close()
            return
        self._sockets.append(server)
        if self._ended:
            server.close()
            return
        threading.Thread(target=self._pump, args=(client, server), daemon=True).start()
        self._pump(server, client)

    def _pump(self, source: socket.socket, target: socket.socket) -> None:
        with suppress(OSError):
            while True:
                data = source.recv(65536)
                self._passes.wait()
                if not data:
                    break
                target.sendall(data)
        self._passes.wait()
        for one in (source, target):
            with suppress(OSError):
                one.shutdown(socket.SHUT_RDWR)
