"""A real Prometheus, a real Alertmanager and the pager that it calls, on a machine of their own."""

import http.server
import json
import threading
import time
import urllib.parse
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import yaml

from tests.cluster.lab.build import build_prometheus
from tests.cluster.lab.cluster import Cluster
from tests.cluster.lab.waiting import wait_for
from tests.cluster.project import PROJECT
from tests.hurry import hurried_route, hurried_rules

PROMETHEUS, ALERTMANAGER, PAGER = 9090, 9093, 9099
FACTOR = 120
"""Ten minutes of ``keep_firing_for`` become five seconds, an hour of ``for`` half a minute."""
SCRAPE_CONFIG = PROJECT / "deploy/kustomize/components/no-operator/scrape-config.yaml"
ROUTES = PROJECT / "alerts/alertmanager-example.yaml"
ACCESS = """
apiVersion: v1
kind: Namespace
metadata: {name: monitoring}
---
apiVersion: v1
kind: ServiceAccount
metadata: {name: prometheus, namespace: monitoring}
---
apiVersion: rbac.authorization.k8s.io/v1
kind: Role
metadata: {name: prometheus, namespace: kube-pki-exporter}
rules: [{apiGroups: [""], resources: [pods], verbs: [get, list, watch]}]
---
apiVersion: rbac.authorization.k8s.io/v1
kind: RoleBinding
metadata: {name: prometheus, namespace: kube-pki-exporter}
roleRef: {apiGroup: rbac.authorization.k8s.io, kind: Role, name: prometheus}
subjects: [{kind: ServiceAccount, name: prometheus, namespace: monitoring}]
"""

Labels = dict[str, str]


@dataclass(frozen=True, slots=True)
class Delivery:
    """One alert in one notification."""

    at: float
    receiver: str
    status: str
    labels: Labels
    annotations: Labels


class _Pager(http.server.ThreadingHTTPServer):
    """A webhook receiver that remembers; its socket is in the monitoring machine's network."""

    daemon_threads = True

    def __init__(self, deliveries: list[Delivery]) -> None:
        super().__init__(("127.0.0.1", PAGER), _Notification, bind_and_activate=False)
        self.socket.close()
        self.deliveries = deliveries


class _Notification(http.server.BaseHTTPRequestHandler):
    server: _Pager

    def do_POST(self) -> None:
        """Remember each alert of a notification."""
        told = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        for alert in told["alerts"]:
            delivery = Delivery(
                time.time(), self.path.strip("/"), alert["status"], alert["labels"], alert["annotations"]
            )
            self.server.deliveries.append(delivery)
        self.send_response(200)
        self.end_headers()

    def log_message(self, format: str, *arguments: object) -> None:  # noqa: A002 the library names it so
        """Say nothing."""


class Monitoring:
    """Prometheus, Alertmanager and the pager."""

    def __init__(self, cluster: Cluster) -> None:
        self.cluster = cluster
        self.machine = cluster.monitor
        self.deliveries: list[Delivery] = []
        self.pager = _Pager(self.deliveries)

    # ---- life

    def start(self) -> None:
        """Start all three; Prometheus sees the cluster as a pod of it would."""
        self.pager.socket = self.machine.listen("127.0.0.1", PAGER)
        threading.Thread(target=self.pager.serve_forever, daemon=True).start()
        self.allow_discovery()
        self.refresh_access()
        self._write_configuration()
        folder = self.machine.folder
        program = build_prometheus()
        self.machine.daemon(
            *("alertmanager", "prometheus-alertmanager", f"--config.file={folder}/alertmanager.yaml"),
            *(f"--storage.path={folder}/alertmanager", "--cluster.listen-address="),
        )
        self.machine.daemon(
            *("prometheus", str(program), f"--config.file={folder}/prometheus.yaml"),
            *(f"--storage.tsdb.path={folder}/prometheus", f"--web.listen-address=127.0.0.1:{PROMETHEUS}"),
            environment={
                "KUBERNETES_SERVICE_HOST": self.cluster.first.address,
                "KUBERNETES_SERVICE_PORT": "6443",
            },
        )
        every = f"count(kubepki_node_info) == {len(self.cluster.nodes)}"
        wait_for("the first scrape of every node", lambda: self.query(every), seconds=90)
        # Until then the hurried rules rightly missed the exporter: nobody was scraped yet.
        self.await_quiet()
        wait_for("what was pending", lambda: not list(self._unresolved()), seconds=30)
        self.deliveries.clear()

    def stop(self) -> None:
        """Hang up; the processes go with their machine."""
        self.pager.shutdown()
        self.pager.server_close()

    def allow_discovery(self) -> None:
        """Let Prometheus list the exporter's pods, as its own installation does."""
        self.cluster.kubectl("apply", "-f", "-", given=ACCESS)

    def refresh_access(self) -> None:
        """Put the CA and a new token where a pod has them."""
        folder = self.machine.own("/run/secrets/kubernetes.io/serviceaccount")
        folder.mkdir(parents=True, exist_ok=True)
        token = self.cluster.kubectl("create", "token", "prometheus", "-n", "monitoring", "--duration", "4h")
        authority = self.cluster.first.own("/etc/kubernetes/pki/ca.crt").read_text()
        (folder / "token").write_text(token)
        (folder / "ca.crt").write_text(authority)

    def _write_configuration(self) -> None:
        """Write the shipped rules as they are in the cluster, the shipped scrape job and routes."""
        folder = self.machine.folder
        groups = [
            group
            for rule in self.cluster.objects("prometheusrules", "-n", "kube-pki-exporter")
            for group in rule["spec"]["groups"]
        ]
        (folder / "rules.yaml").write_text(yaml.safe_dump(hurried_rules({"groups": groups}, FACTOR)))
        configuration: dict[str, Any] = {
            "global": {"scrape_interval": "1s", "evaluation_interval": "1s"},
            "rule_files": ["rules.yaml"],
            "alerting": {"alertmanagers": [{"static_configs": [{"targets": [f"127.0.0.1:{ALERTMANAGER}"]}]}]},
            **yaml.safe_load(SCRAPE_CONFIG.read_text()),
        }
        (folder / "prometheus.yaml").write_text(yaml.safe_dump(configuration))
        routes = yaml.safe_load(ROUTES.read_text())
        routes["route"] = hurried_route(routes["route"], FACTOR)
        (folder / "alertmanager.yaml").write_text(yaml.safe_dump(routes))
        self.machine.run("promtool", "check", "rules", str(folder / "rules.yaml"))

    # ---- questions

    def query(self, expression: str) -> list[tuple[Labels, float]]:
        """Ask Prometheus."""
        path = f"/api/v1/query?{urllib.parse.urlencode({'query': expression})}"
        connection = self.machine.http("127.0.0.1", PROMETHEUS)
        status, text = connection.fetch(path)
        connection.close()
        answer = json.loads(text)
        if status != 200:
            message = f"{expression}: {answer.get('error')}"
            raise ValueError(message)
        return [(each["metric"], float(each["value"][1])) for each in answer["data"]["result"]]

    def alerts(self) -> set[str]:
        """Name every alert that is pending or firing, with what it is about."""
        keys = ("alertname", "severity", "node", "role", "path", "check")
        return {
            " ".join(labels[key] for key in keys if key in labels)
            for labels, _ in self.query('ALERTS{alertstate=~"pending|firing"}')
        }

    def _unresolved(self) -> Iterator[Labels]:
        last = {json.dumps(each.labels, sort_keys=True): each for each in tuple(self.deliveries)}
        yield from (each.labels for each in last.values() if each.status == "firing")

    def delivered(self, status: str, since: float, **labels: str) -> Iterator[Delivery]:
        """Yield what the pager was told since a moment."""
        for each in tuple(self.deliveries):
            if each.at >= since and each.status == status and labels.items() <= each.labels.items():
                yield each

    def await_delivery(self, status: str, since: float, *, seconds: float = 60, **labels: str) -> Delivery:
        """Wait until the pager is told."""
        what = f"the pager to hear {status} {labels}"
        return wait_for(what, lambda: next(self.delivered(status, since, **labels), None), seconds=seconds)

    def await_quiet(self, *, seconds: float = 60) -> None:
        """Wait until no alert is pending or firing."""

        def quiet() -> bool:
            if left := self.alerts():
                message = f"{sorted(left)}"
                raise ValueError(message)
            return True

        wait_for("every alert to end", quiet, seconds=seconds, every=0.5)
