"""Waiting that always ends, and an address to wait at."""

import socket
import time
from collections.abc import Callable
from typing import TypeVar

Found = TypeVar("Found")


def eventually(find: Callable[[], Found], seconds: float = 5.0, *, every: float = 0.02) -> Found:
    """Poll until something true is found and return it; the last thing found after so many seconds."""
    end = time.monotonic() + seconds
    while not (found := find()) and time.monotonic() < end:
        time.sleep(every)
    return found


def free_port() -> int:
    """A port of loopback that nobody listens on."""
    with socket.create_server(("127.0.0.1", 0)) as free:
        port: int = free.getsockname()[1]
        return port
