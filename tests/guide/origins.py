"""Web servers that misbehave in one way each, on a port of their own."""

import socket
import threading
from contextlib import contextmanager


@contextmanager
def origin(answer):
    """Runs a server that calls `answer(connection, request bytes)` for each connection, then closes it.

    Gives an object with `port` and `requests`, the requests seen so far.
    """
    listener = socket.create_server(("127.0.0.1", 0))
    server = Origin(listener, answer)
    thread = threading.Thread(target=server.run, daemon=True)
    thread.start()
    try:
        yield server
    finally:
        server.closing = True
        # Closing alone would leave the thread waiting in accept, and the port answering.
        listener.shutdown(socket.SHUT_RDWR)
        listener.close()
        server.release.set()
        thread.join(10)


class Origin:
    def __init__(self, listener, answer):
        self.listener = listener
        self.answer = answer
        self.port = listener.getsockname()[1]
        self.requests = []
        self.release = threading.Event()
        self.closing = False

    def run(self):
        while not self.closing:
            try:
                connection, _ = self.listener.accept()
            except OSError:
                return
            threading.Thread(target=self.serve, args=(connection,), daemon=True).start()

    def serve(self, connection):
        with connection:
            connection.settimeout(30)
            request = read_head(connection)
            if not request:
                return
            self.requests.append(request)
            try:
                self.answer(connection, self)
            except OSError:
                pass


def read_head(connection):
    request = b""
    while b"\r\n\r\n" not in request:
        try:
            received = connection.recv(65536)
        except OSError:
            return b""
        if not received:
            return b""
        request += received
    return request


def free_port():
    """A port on which nobody listens."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        return listener.getsockname()[1]
