"""Accepts connections and gives each a thread; nothing a client does or leaves undone happens here."""

import logging
import socket
import threading
import time

from exporter.address import ListenAddress
from exporter.server.binding import listen
from exporter.server.connections import Connection, Connections
from exporter.server.conversation import Conversation, Desk
from exporter.server.request import Application
from exporter.server.web_config import WebConfig

logger = logging.getLogger(__name__)

STOP_SECONDS = 0.5
"""How long responses that are being sent may go on after ``stop``."""


class Server:
    """Serves an application over HTTP, or HTTPS where the web configuration says so."""

    def __init__(self, address: ListenAddress, application: Application, web_config: WebConfig) -> None:
        self.address = address
        self._connections = Connections()
        self._desk = Desk(application, web_config, self._connections, is_local=self.address.is_loopback)
        self._listener: socket.socket | None = None
        self._thread = threading.Thread(target=self._accept, name="accept", daemon=True)
        self._is_stopping = False

    def start(self) -> None:
        """Listen from now on; raises ConfigurationError where that is not possible."""
        self._listener = listen(self.address)
        self._thread.start()

    @property
    def port(self) -> int:
        """The port it listens on, also where the address left the choice open."""
        return int(self._listener.getsockname()[1]) if self._listener else self.address.port

    def stop(self) -> None:
        """End within a second: no new connection, waiting ones at once, responses after a moment."""
        if not self._listener:
            return
        self._is_stopping = True
        self._listener.shutdown(socket.SHUT_RDWR)  # wakes accept
        self._connections.close(STOP_SECONDS)
        self._thread.join(STOP_SECONDS)
        self._listener.close()

    def _accept(self) -> None:
        while not self._is_stopping and self._listener:
            try:
                client, peer = self._listener.accept()
            except OSError:
                if not self._is_stopping:
                    logger.warning("accept failed", exc_info=True)
                    time.sleep(0.1)  # out of file descriptors, most likely
                continue
            self._receive(client, str(peer[0]))

    def _receive(self, client: socket.socket, peer: str) -> None:
        connection = Connection(client, peer)
        if not self._connections.admit(connection):
            connection.close()
            return
        try:
            threading.Thread(target=Conversation(connection, self._desk).run, daemon=True).start()
        except RuntimeError:  # no more threads may be started
            logger.warning("no thread for a connection")
            self._connections.discard(connection)
            connection.close()
