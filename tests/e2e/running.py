"""The real program on a tree, and what its scrapes say."""

import contextlib
import http.client
import json
import os
import signal
import socket
import ssl
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path

from prometheus_client.parser import text_string_to_metric_families
from prometheus_client.samples import Sample

ROOT = Path(__file__).resolve().parents[2]
PATIENCE = 20.0
"""Seconds until what must happen counts as never happening; far more than a busy machine needs."""

NOT_AFTER = "kubepki_certificate_not_after_timestamp_seconds"
INFO = "kubepki_certificate_info"
OWNERSHIP = frozenset() if os.geteuid() == 0 else frozenset({"owner_unexpected", "directory_writable"})
"""Checks that object, rightly, to a tree that an ordinary user wrote."""


@dataclass(frozen=True, slots=True)
class Answer:
    """What the server said."""

    status: int
    headers: http.client.HTTPMessage
    body: bytes


@dataclass(frozen=True)
class Scrape:
    """One exposition in text format."""

    text: str

    @cached_property
    def _samples(self) -> dict[str, list[Sample]]:
        found: dict[str, list[Sample]] = {}
        for family in text_string_to_metric_families(self.text):
            for sample in family.samples:
                found.setdefault(sample.name, []).append(sample)
        return found

    def samples(self, name: str, **labels: str) -> list[Sample]:
        """Give the samples of a metric that have at least these labels."""
        return [s for s in self._samples.get(name, ()) if labels.items() <= s.labels.items()]

    def value(self, name: str, **labels: str) -> float:
        """Give the value of the only sample with these labels."""
        (sample,) = self.samples(name, **labels)
        return sample.value

    @property
    def names(self) -> frozenset[str]:
        """Every metric that has a sample."""
        return frozenset(self._samples)

    @property
    def series(self) -> list[Sample]:
        """Every sample there is."""
        return [sample for samples in self._samples.values() for sample in samples]

    @property
    def places(self) -> frozenset[tuple[str, str, str]]:
        """Path, entry and index of each certificate."""
        return frozenset(
            (s.labels["path"], s.labels["entry"], s.labels["index"]) for s in self.samples(NOT_AFTER)
        )

    @property
    def failures(self) -> frozenset[tuple[str, str]]:
        """Path and reason of each failure."""
        return frozenset(
            (s.labels["path"], s.labels["reason"]) for s in self.samples("kubepki_document_failure")
        )

    @property
    def findings(self) -> frozenset[tuple[str, str]]:
        """Check and path of each finding, but for what only the user of the test explains."""
        found = {(s.labels["check"], s.labels["path"]) for s in self.samples("kubepki_finding")}
        return frozenset((check, path) for check, path in found if check not in OWNERSHIP)

    def fingerprint(self, path: str, entry: str = "") -> str | None:
        """Give the fingerprint of the first certificate at a path; None where there is none."""
        found = self.samples(INFO, path=path, entry=entry, index="0")
        return found[0].labels["fingerprint"] if found else None

    @property
    def scans(self) -> float:
        """How many scans were made, whatever triggered them."""
        return sum(sample.value for sample in self.samples("kubepki_scans_total"))


@dataclass(slots=True)
class Running:
    """A started exporter."""

    process: subprocess.Popen[bytes]
    log: Path
    tls: ssl.SSLContext | None = None
    port: int = field(init=False)

    def connect(self) -> http.client.HTTPConnection:
        """Open a connection as Prometheus keeps it, without delay of small packets."""
        connection = (
            http.client.HTTPSConnection("127.0.0.1", self.port, timeout=PATIENCE, context=self.tls)
            if self.tls
            else http.client.HTTPConnection("127.0.0.1", self.port, timeout=PATIENCE)
        )
        connection.connect()
        connection.sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        return connection

    def ask(
        self,
        path: str,
        *,
        method: str = "GET",
        headers: dict[str, str] | None = None,
        connection: http.client.HTTPConnection | None = None,
    ) -> Answer:
        """Ask once, over a connection of its own where none is given."""
        asking = connection or self.connect()
        asking.request(method, path, headers=headers or {})
        response = asking.getresponse()
        answer = Answer(response.status, response.headers, response.read())
        if connection is None:
            asking.close()
        return answer

    def scrape(self, connection: http.client.HTTPConnection | None = None) -> Scrape:
        """Read /metrics, which must work."""
        answer = self.ask("/metrics", connection=connection)
        assert answer.status == http.HTTPStatus.OK, answer
        return Scrape(answer.body.decode())

    def scrape_until(self, holds: Callable[[Scrape], bool], *, seconds: float = PATIENCE) -> Scrape:
        """Scrape until it holds and return that scrape; the last one after so many seconds."""
        end = time.monotonic() + seconds
        connection = self.connect()
        with contextlib.closing(connection):
            while not holds(scrape := self.scrape(connection)) and time.monotonic() < end:
                time.sleep(0.02)
        return scrape

    def settled(self) -> Scrape:
        """Scrape after news that is bad now had its second look, whatever else happens."""
        self.scrape_until(lambda _: False, seconds=1.2)
        begun = self.scrape().scans
        self.process.send_signal(signal.SIGHUP)
        return self.scrape_until(lambda scrape: scrape.scans > begun)

    def messages(self) -> list[dict[str, str]]:
        """Read the log so far, the last line only once it is whole."""
        lines = self.log.read_text(encoding="utf-8").split("\n")[:-1]
        return [json.loads(line) for line in lines]


@contextlib.contextmanager
def running(
    root: Path,
    *flags: str,
    before: Sequence[str] = (),
    listen: str = "127.0.0.1:0",
    tls: ssl.SSLContext | None = None,
) -> Iterator[Running]:
    """Start ``node`` on a tree, wait for its first scan, and end it; its log must hold no traceback.

    *before* are the words of a program that starts it, such as ``unshare``; *tls* is how to connect.
    """
    command = [sys.executable, "-m", "exporter", "node", "--host-root", str(root), "--listen", listen]
    with tempfile.TemporaryDirectory() as directory:
        log = Path(directory, "log")
        with log.open("wb") as errors:
            process = subprocess.Popen(
                [*before, *command, "--log-format", "json", *flags], stderr=errors, cwd=ROOT
            )
        program = Running(process, log, tls)
        try:
            program.port = _port(program)
            _wait(lambda: program.ask("/readyz").status != http.HTTPStatus.SERVICE_UNAVAILABLE, program)
            yield program
        finally:
            process.terminate()
            process.wait(PATIENCE)
            messages = log.read_text(encoding="utf-8")
        assert "Traceback" not in messages, messages


def _port(program: Running) -> int:
    _wait(lambda: any("port" in message for message in program.messages()), program)
    return int(next(message["port"] for message in program.messages() if "port" in message))


def _wait(holds: Callable[[], bool], program: Running) -> None:
    end = time.monotonic() + PATIENCE
    while not holds():
        assert program.process.poll() is None, program.log.read_text(encoding="utf-8")
        assert time.monotonic() < end, program.log.read_text(encoding="utf-8")
        time.sleep(0.02)
