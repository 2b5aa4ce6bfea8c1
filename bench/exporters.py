"""A started exporter, ours or another: what it serves, and what it costs."""

import contextlib
import gzip
import http.client
import os
import shlex
import socket
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

PROMETHEUS = {
    "Accept": (
        "application/openmetrics-text;version=1.0.0;escaping=allow-utf-8;q=0.5,"
        "text/plain;version=1.0.0;escaping=allow-utf-8;q=0.4,text/plain;version=0.0.4;q=0.3,*/*;q=0.2"
    ),
    "User-Agent": "Prometheus/3",
}
GZIP = {**PROMETHEUS, "Accept-Encoding": "gzip"}
PATIENCE = 60.0
"""Seconds until what an exporter should do counts as not done."""
_TICKS = os.sysconf("SC_CLK_TCK")


@dataclass(slots=True)
class Exporter:
    """A process that serves /metrics, and one kept connection to it, as Prometheus has it."""

    process: subprocess.Popen[bytes]
    connection: http.client.HTTPConnection
    seconds_to_ready: float

    def scrape(self, *, compressed: bool = True) -> bytes:
        """Read the whole exposition as it comes over the wire."""
        headers = GZIP if compressed else PROMETHEUS
        try:
            response = self._ask(headers)
        except http.client.RemoteDisconnected:  # an exporter may close a connection that was idle
            self.connection.close()
            response = self._ask(headers)
        body = response.read()
        if response.status != http.HTTPStatus.OK:
            message = f"/metrics answered {response.status}"
            raise ConnectionError(message)
        return body

    def _ask(self, headers: Mapping[str, str]) -> http.client.HTTPResponse:
        self.connection.request("GET", "/metrics", headers=headers)
        return self.connection.getresponse()

    def shows(self, moment: int) -> bool:
        """Tell whether some sample has this value, in either way to write it."""
        body = gzip.decompress(self.scrape())
        return f" {moment}".encode() in body or f" {moment / 1e9:.9f}".rstrip("0").encode() + b"e+09" in body

    @property
    def resident_mib(self) -> float:
        """Resident memory in MiB."""
        status = Path(f"/proc/{self.process.pid}/status").read_text(encoding="ascii")
        return int(status.partition("VmRSS:")[2].split()[0]) / 1024

    @property
    def processor_seconds(self) -> float:
        """Processor time used so far, in user and system mode."""
        fields = Path(f"/proc/{self.process.pid}/stat").read_text(encoding="utf-8").rpartition(")")[2].split()
        return (int(fields[11]) + int(fields[12])) / _TICKS


def our_command(root: Path, port: int, flags: Sequence[str]) -> list[str]:
    """Start this program as a container does."""
    common = ["--host-root", str(root), "--listen", f"127.0.0.1:{port}", "--log-level", "error"]
    return [sys.executable, "-m", "exporter", "node", *common, *flags]


def peer_command(template: str, root: Path, port: int) -> list[str]:
    """Start another exporter: the words of PEER_CMD with its places filled."""
    return [word.format(root=root, port=port) for word in shlex.split(template)]


@contextlib.contextmanager
def started(root: Path, *flags: str, peer: str = "") -> Iterator[Exporter]:
    """Start an exporter on a tree, wait until it serves metrics, and end it."""
    port = _free_port()
    command = peer_command(peer, root, port) if peer else our_command(root, port, flags)
    begun = time.monotonic()
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        connection = _ready(process, port, begun + PATIENCE)
        yield Exporter(process, connection, time.monotonic() - begun)
    finally:
        process.terminate()
        process.wait(PATIENCE)


def _ready(process: subprocess.Popen[bytes], port: int, latest: float) -> http.client.HTTPConnection:
    """Ask every few milliseconds; the exporter is ready when it answers with certificates."""
    while time.monotonic() < latest and process.poll() is None:
        connection = http.client.HTTPConnection("127.0.0.1", port, timeout=PATIENCE)
        try:
            connection.connect()
            connection.sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            connection.request("GET", "/metrics")
            response = connection.getresponse()
            if b"not_after" in response.read() and response.status == http.HTTPStatus.OK:
                return connection
        except OSError:
            pass
        connection.close()
        time.sleep(0.005)
    message = f"not ready: {shlex.join(map(str, process.args))}"  # type: ignore[arg-type]
    raise ConnectionError(message)


def _free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port: int = listener.getsockname()[1]
        return port
