"""A real Prometheus and a real Alertmanager with what is shipped, on loopback, in a hurry."""

import contextlib
import http.server
import json
import subprocess
import threading
import urllib.request
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any

import yaml

from tests import waiting
from tests.hurry import hurried_route, hurried_rules
from tests.tools import require_tool
from tests.waiting import Found

ALERTS = Path(__file__).resolve().parents[2] / "alerts"
PATIENCE = 60.0
FACTOR = 40
"""Ten minutes become a quarter of one; Alertmanager still gathers alerts for longer than the rules take."""


def free_address() -> str:
    """An address on loopback that nobody listens on."""
    return f"127.0.0.1:{waiting.free_port()}"


def eventually(what: str, find: Callable[[], Found], *, seconds: float = PATIENCE) -> Found:
    """Poll until something is found; AssertionError after so many seconds."""
    found = waiting.eventually(find, seconds, every=0.1)
    assert found, f"never happened: {what}"
    return found


@dataclass(slots=True)
class Receiver:
    """A webhook that remembers each notification as (status, alert)."""

    address: str = field(default_factory=free_address)
    notified: list[tuple[str, dict[str, Any]]] = field(default_factory=list)

    @contextlib.contextmanager
    def listening(self) -> Iterator[None]:
        """Take notifications until the end of the block."""
        notified = self.notified

        class Handler(http.server.BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
                notified.extend((alert["status"], alert) for alert in body["alerts"])
                self.send_response(200)
                self.end_headers()

            def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - http.server's name
                """Stay silent."""

        host, _, port = self.address.partition(":")
        server = http.server.ThreadingHTTPServer((host, int(port)), Handler)
        thread = threading.Thread(target=server.serve_forever, daemon=True)
        thread.start()
        try:
            yield
        finally:
            server.shutdown()
            server.server_close()
            thread.join(5)

    def of(self, name: str, status: str = "firing") -> list[dict[str, Any]]:
        """The notifications of one alert, in order."""
        return [
            alert
            for found, alert in self.notified
            if found == status and alert["labels"]["alertname"] == name
        ]

    def names(self) -> set[str]:
        """Every alert that was notified."""
        return {alert["labels"]["alertname"] for _, alert in self.notified}


@dataclass(slots=True)
class Monitoring:
    """The two programs, each of which can be ended and started again on the same storage."""

    folder: Path
    receiver: Receiver
    prometheus: str = field(default_factory=free_address)
    alertmanager: str = field(default_factory=free_address)
    _running: dict[str, subprocess.Popen[bytes]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        rules = [self._rules(path) for path in ("certificates.yaml", "nodes.yaml", "exporter.yaml")]
        self._write(
            "prometheus.yaml",
            {
                "global": {
                    "scrape_interval": "500ms",
                    "scrape_timeout": "500ms",
                    "evaluation_interval": "500ms",
                },
                "rule_files": rules,
                "alerting": {"alertmanagers": [{"static_configs": [{"targets": [self.alertmanager]}]}]},
                "scrape_configs": [
                    {
                        "job_name": "kube-pki-exporter",
                        "file_sd_configs": [
                            {"files": [str(self.folder / "targets.json")], "refresh_interval": "1s"}
                        ],
                    }
                ],
            },
        )
        shipped = yaml.safe_load((ALERTS / "alertmanager-example.yaml").read_text(encoding="utf-8"))
        receivers = [
            {
                "name": each["name"],
                "webhook_configs": [{"url": f"http://{self.receiver.address}/", "send_resolved": True}],
            }
            for each in shipped["receivers"]
        ]
        self._write(
            "alertmanager.yaml",
            {**shipped, "route": hurried_route(shipped["route"], FACTOR), "receivers": receivers},
        )

    def targets(self, exporters: Sequence[tuple[str, int]]) -> None:
        """Scrape these pods of node n1: name and port of each."""
        found = [
            {"targets": [f"127.0.0.1:{port}"], "labels": {"node": "n1", "cluster": "test", "pod": pod}}
            for pod, port in exporters
        ]
        part = self.folder / "targets.part"
        part.write_text(json.dumps(found), encoding="utf-8")
        part.replace(self.folder / "targets.json")

    def is_scraped(self) -> bool:
        """An exporter has been scraped, and nothing says that there is none."""
        found = b'"node_name":"n1"' in self.call(self.prometheus, "/api/v1/query?query=kubepki_node_info")
        return found and not any(name == "KubePKIExporterAbsent" for name, _ in self.alerts())

    def start(self, *programs: str) -> None:
        """Start the programs named and wait until they answer."""
        for program in programs:
            command, address = self._command(program)
            with (self.folder / f"{program}.log").open("ab") as log:
                self._running[program] = subprocess.Popen(command, stdout=log, stderr=log)
            eventually(f"{program} is ready", partial(self.call, address, "/-/ready"))

    def stop(self, *programs: str) -> None:
        """End the ones named, or both."""
        for program in programs or tuple(self._running):
            process = self._running.pop(program)
            process.terminate()
            process.wait(20)

    def alerts(self) -> set[tuple[str, str]]:
        """Name and state of every alert of Prometheus."""
        answer = json.loads(self.call(self.prometheus, "/api/v1/alerts") or b'{"data": {"alerts": []}}')
        return {(alert["labels"]["alertname"], alert["state"]) for alert in answer["data"]["alerts"]}

    @staticmethod
    def call(address: str, path: str) -> bytes:
        """Ask a program; empty while it does not answer."""
        try:
            with urllib.request.urlopen(f"http://{address}{path}", timeout=5) as answer:
                return bytes(answer.read()) or b" "
        except OSError:
            return b""

    def _command(self, program: str) -> tuple[list[str], str]:
        if program == "prometheus":
            words = [
                f"--config.file={self.folder / 'prometheus.yaml'}",
                f"--storage.tsdb.path={self.folder / 'tsdb'}",
                f"--web.listen-address={self.prometheus}",
                "--rules.alert.for-outage-tolerance=1h",
                "--rules.alert.for-grace-period=1s",
                "--rules.alert.resend-delay=5s",
            ]
            return [require_tool("prometheus", "prometheus"), *words], self.prometheus
        words = [
            f"--config.file={self.folder / 'alertmanager.yaml'}",
            f"--storage.path={self.folder / 'alertmanager'}",
            f"--web.listen-address={self.alertmanager}",
            "--cluster.listen-address=",
        ]
        name = "prometheus-alertmanager"
        return [require_tool(name, name), *words], self.alertmanager

    def _rules(self, name: str) -> str:
        return self._write(
            name, hurried_rules(yaml.safe_load((ALERTS / name).read_text(encoding="utf-8")), FACTOR)
        )

    def _write(self, name: str, document: object) -> str:
        path = self.folder / name
        path.write_text(yaml.safe_dump(document), encoding="utf-8")
        return str(path)
