"""Several nodes, their exporters, and a Prometheus that scrapes them."""

import contextlib
import http.client
import json
import subprocess
import sys
import time
import urllib.parse
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from exporter.demo import make_demo, make_node
from exporter.demo.pki import make_ca
from tests.waiting import eventually, free_port

ROOT = Path(__file__).resolve().parents[2]
PATIENCE = 30.0
"""Seconds until what must happen counts as never happening."""
SCRAPE_INTERVAL = "250ms"
RATE_INTERVAL = "2s"
"""At least four times as long, as Grafana takes it."""


@dataclass(frozen=True, slots=True)
class Series:
    """One series of an answer, with its last value."""

    labels: Mapping[str, str]
    value: float


@dataclass(frozen=True, slots=True)
class Prometheus:
    """A started Prometheus."""

    port: int

    def instant(self, expr: str) -> list[Series]:
        """Evaluate now."""
        return _series(self._ask("query", query=expr), "value")

    def over_time(self, expr: str) -> list[Series]:
        """Evaluate over the last five seconds, as a graph does."""
        now = time.time()
        data = self._ask("query_range", query=expr, start=f"{now - 5}", end=f"{now}", step="1")
        return _series(data, "values")

    def label_values(self, selector: str, label: str) -> list[str]:
        """List the values of a label, as a variable does."""
        values = self._ask(f"label/{label}/values", **{"match[]": selector})
        assert isinstance(values, list)
        return values

    def _ask(self, what: str, **parameters: str) -> Any:  # noqa: ANN401 - JSON
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=PATIENCE)
        with contextlib.closing(connection):
            connection.request("GET", f"/api/v1/{what}?{urllib.parse.urlencode(parameters)}")
            answer = json.loads(connection.getresponse().read())
        assert answer["status"] == "success", (parameters, answer)
        return answer["data"]


@dataclass(frozen=True, slots=True)
class Fleet:
    """What is observed, and by whom."""

    prometheus: Prometheus
    trees: Mapping[str, Path]
    """The value of the ``node`` label to the files of that node."""
    made: datetime


def make_trees(directory: Path, unpack: Callable[[str], Path], now: datetime) -> Mapping[str, Path]:
    """Write a broken node and one whose kubelet stopped rotating, and unpack a recorded k3s.

    In a bundle of the second there is an old CA too, left there although nothing needs it, and one of its
    servers shows a certificate that says that it is a CA.
    """
    broken = make_demo(directory / "broken", now=now)
    (broken.root / "etc/kubernetes/pki/front-proxy-client.key").unlink()
    stuck = make_node(directory / "stuck", now=now, name="demo-cp2", address="10.0.0.12")
    old = make_ca("old", now=now - timedelta(days=4000))
    stuck.write("etc/kubernetes/pki/front-proxy-ca.crt", stuck.front_proxy_ca.pem + old.pem, 0o644)
    flagged = make_ca("kube-etcd-peer", now=now - timedelta(days=3640))
    stuck.write("etc/kubernetes/pki/etcd/peer.crt", flagged.pem, 0o644)
    stuck.point_current("client", stuck.kubelet_pair("client", now - timedelta(days=340)))
    return {"broken": broken.root, "stuck": stuck.root, "k3s": unpack("k3s-1.36.3")}


@contextlib.contextmanager
def exporters(trees: Mapping[str, Path], directory: Path) -> Iterator[Mapping[str, int]]:
    """Start an exporter for each node and give their ports once each has made its first scan."""
    with contextlib.ExitStack() as stack:
        logs = {node: directory / f"{node}.log" for node in trees}
        for node, tree in trees.items():
            arguments = ["node", "--host-root", str(tree), "--listen", "127.0.0.1:0", "--log-format", "json"]
            log = stack.enter_context(logs[node].open("wb"))
            command = [sys.executable, "-m", "exporter", *arguments]
            stack.callback(_end, subprocess.Popen(command, stderr=log, cwd=ROOT))
        assert eventually(lambda: all(map(_port, logs.values())), PATIENCE)
        ports = {node: _port(log) for node, log in logs.items()}
        assert eventually(
            lambda: all(_status(port, "/readyz") == http.HTTPStatus.OK for port in ports.values()), PATIENCE
        )
        yield ports


@contextlib.contextmanager
def scraping(program: str, ports: Mapping[str, int], directory: Path) -> Iterator[Prometheus]:
    """Start a Prometheus that scrapes as the shipped configuration does: with a ``node`` for each target.

    The k3s node is in no named cluster; the broken one is seen by two pods, as during an update.
    """
    targets = [(f"127.0.0.1:{port}", node) for node, port in ports.items()]
    targets.append((f"localhost:{ports['broken']}", "broken"))
    static = [
        {"targets": [target], "labels": {"node": node} | ({} if node == "k3s" else {"cluster": "east"})}
        for target, node in targets
    ]
    configuration = {
        "global": {"scrape_interval": SCRAPE_INTERVAL},
        "scrape_configs": [{"job_name": "kube-pki-exporter", "static_configs": static}],
    }
    file = directory / "prometheus.json"
    file.write_text(json.dumps(configuration))
    port = free_port()
    arguments = {
        "config.file": file,
        "storage.tsdb.path": directory / "data",
        "web.listen-address": f"127.0.0.1:{port}",
        "log.level": "warn",
    }
    with contextlib.ExitStack() as stack:
        log = stack.enter_context((directory / "prometheus.log").open("wb"))
        command = [program, *(f"--{flag}={value}" for flag, value in arguments.items())]
        stack.callback(_end, subprocess.Popen(command, stdout=log, stderr=log, cwd=directory))
        assert eventually(lambda: _status(port, "/-/ready") == http.HTTPStatus.OK, PATIENCE)
        prometheus = Prometheus(port)
        seen = "count(count_over_time(kubepki_build_info[2s]) >= 4)"
        assert eventually(
            lambda: [series.value for series in prometheus.instant(seen)] == [len(targets)], PATIENCE
        )
        yield prometheus


def _series(data: Any, key: str) -> list[Series]:  # noqa: ANN401 - JSON
    found = data["result"]
    return [
        Series(each["metric"], float((each[key][-1] if key == "values" else each[key])[1])) for each in found
    ]


def _port(log: Path) -> int:
    messages = map(json.loads, log.read_text().split("\n")[:-1])
    return next((int(message["port"]) for message in messages if "port" in message), 0)


def _status(port: int, path: str) -> int:
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=PATIENCE)
    with contextlib.closing(connection), contextlib.suppress(ConnectionError):
        connection.request("GET", path)
        return connection.getresponse().status
    return 0


def _end(process: subprocess.Popen[bytes]) -> None:
    process.terminate()
    process.wait(PATIENCE)
