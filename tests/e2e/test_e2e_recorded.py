"""Real kubeadm nodes, from the archive to the scrape: every certificate by name, nothing to complain of."""

import json
import re
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from datetime import datetime
from pathlib import Path

import pytest
from prometheus_client.openmetrics.parser import text_string_to_metric_families as parse_openmetrics

from tests.e2e.running import INFO, NOT_AFTER, ROOT, Running, Scrape, running

NODES = Path(__file__).parents[1] / "nodes"
CONTROL_PLANE = "kubeadm-1.36-control-plane"
WORKER = "kubeadm-1.36-worker"

TARGET_LABELS = {
    "node", "cluster", "instance", "job", "namespace", "pod", "container", "service", "endpoint"
}  # fmt: skip
"""Prometheus sets these on a target; ours would arrive as ``exported_...``."""

PKI = "/etc/kubernetes/pki"
KUBELET = "/var/lib/kubelet/pki"
CONTROL_PLANE_ROLES = {
    ("/etc/kubernetes/admin.conf", "user/kubernetes-admin"): "admin.conf",
    ("/etc/kubernetes/super-admin.conf", "user/kubernetes-super-admin"): "super-admin.conf",
    (
        "/etc/kubernetes/controller-manager.conf",
        "user/system:kube-controller-manager",
    ): "controller-manager.conf",
    ("/etc/kubernetes/scheduler.conf", "user/system:kube-scheduler"): "scheduler.conf",
    ("/etc/kubernetes/admin.conf", "cluster/kubernetes"): "ca",
    ("/etc/kubernetes/super-admin.conf", "cluster/kubernetes"): "ca",
    ("/etc/kubernetes/controller-manager.conf", "cluster/kubernetes"): "ca",
    ("/etc/kubernetes/scheduler.conf", "cluster/kubernetes"): "ca",
    ("/etc/kubernetes/kubelet.conf", "cluster/kubernetes"): "ca",
    (f"{PKI}/ca.crt", ""): "ca",
    (f"{PKI}/etcd/ca.crt", ""): "etcd-ca",
    (f"{PKI}/front-proxy-ca.crt", ""): "front-proxy-ca",
    (f"{PKI}/apiserver.crt", ""): "apiserver",
    (f"{PKI}/apiserver-kubelet-client.crt", ""): "apiserver-kubelet-client",
    (f"{PKI}/apiserver-etcd-client.crt", ""): "apiserver-etcd-client",
    (f"{PKI}/front-proxy-client.crt", ""): "front-proxy-client",
    (f"{PKI}/etcd/server.crt", ""): "etcd-server",
    (f"{PKI}/etcd/peer.crt", ""): "etcd-peer",
    (f"{PKI}/etcd/healthcheck-client.crt", ""): "etcd-healthcheck-client",
    (f"{KUBELET}/kubelet-client-current.pem", ""): "kubelet-client",
    (f"{KUBELET}/kubelet-server-current.pem", ""): "kubelet-server",
}
WORKER_ROLES = {
    ("/etc/kubernetes/kubelet.conf", "cluster/default-cluster"): "ca",
    (f"{PKI}/ca.crt", ""): "ca",
    (f"{KUBELET}/kubelet-client-current.pem", ""): "kubelet-client",
    (f"{KUBELET}/kubelet-server-current.pem", ""): "kubelet-server",
}


@pytest.fixture
def control_plane(unpacked: Callable[[str], Path]) -> Iterator[Running]:
    """The exporter on the recorded control-plane node."""
    with running(unpacked(CONTROL_PLANE)) as program:
        yield program


@pytest.fixture
def worker(unpacked: Callable[[str], Path]) -> Iterator[Running]:
    """The exporter on the recorded worker."""
    with running(unpacked(WORKER)) as program:
        yield program


def roles(scrape: Scrape) -> dict[tuple[str, str], str]:
    """Path and entry of each certificate in use to its role."""
    found = scrape.samples(NOT_AFTER, state="in_use")
    return {(s.labels["path"], s.labels["entry"]): s.labels["role"] for s in found}


def test_a_control_plane_node_is_known_whole(control_plane: Running) -> None:
    """21 certificates, each with its role, and no other series of one."""
    scrape = control_plane.scrape()

    assert roles(scrape) == CONTROL_PLANE_ROLES
    assert len(scrape.samples(NOT_AFTER)) == len(CONTROL_PLANE_ROLES) == 21
    assert scrape.samples("kubepki_node_info", distribution="kubeadm", node_type="control_plane")


def test_a_worker_is_known_whole(worker: Running) -> None:
    """4 certificates with nothing but the host root to go by."""
    scrape = worker.scrape()

    assert roles(scrape) == WORKER_ROLES
    assert len(scrape.samples(NOT_AFTER)) == len(WORKER_ROLES) == 4
    assert scrape.samples("kubepki_node_info", distribution="kubeadm", node_type="worker")


@pytest.mark.parametrize("node", ["control_plane", "worker"])
def test_a_healthy_node_has_nothing_wrong(node: str, request: pytest.FixtureRequest) -> None:
    """No finding, no failure, nothing required that is missing: a fresh cluster raises no alert."""
    program: Running = request.getfixturevalue(node)
    scrape = program.settled()

    assert (scrape.findings, scrape.failures) == (frozenset(), frozenset())
    required = scrape.samples("kubepki_reference_present", requirement="required")
    assert required
    assert [sample.labels for sample in required if not sample.value] == []
    assert all(sample.value == 0 for sample in scrape.samples("kubepki_documents_failed"))
    assert scrape.value("kubepki_watch_up") == 1


def test_the_arithmetic_of_the_timestamps_works(control_plane: Running) -> None:
    """The three families of times have identical label sets, and info is unique per place."""
    scrape = control_plane.scrape()
    kinds = ("not_after", "not_before", "effective_not_after")
    labels = [
        {frozenset(s.labels.items()) for s in scrape.samples(f"kubepki_certificate_{kind}_timestamp_seconds")}
        for kind in kinds
    ]

    assert labels[0] == labels[1] == labels[2]
    places = [(s.labels["path"], s.labels["entry"], s.labels["index"]) for s in scrape.samples(INFO)]
    assert len(places) == len(set(places)) == 21


def kubeadm_dates() -> dict[str, float]:
    """What ``kubeadm certs check-expiration -o json`` said of the recorded node: name to Unix time."""
    said = json.loads((NODES / f"{CONTROL_PLANE}.json").read_text(encoding="utf-8"))
    return {
        item["name"]: datetime.fromisoformat(item["expirationDate"]).timestamp()
        for item in (*said["certificates"], *said["certificateAuthorities"])
    }


def test_metrics_agree_with_kubeadm_to_the_second(control_plane: Running) -> None:
    """Every name of kubeadm's is a role of ours, with the same end wherever it stands."""
    scrape = control_plane.scrape()

    for name, end in kubeadm_dates().items():
        assert {s.value for s in scrape.samples(NOT_AFTER, role=name)} == {end}, name


def test_check_agrees_with_kubeadm_to_the_second(unpacked: Callable[[str], Path]) -> None:
    """The same through ``check -o json``, and what kubeadm does not show besides."""
    run = subprocess.run(
        [sys.executable, "-m", "exporter", "check", "-o", "json", "--host-root", unpacked(CONTROL_PLANE)],
        check=True,
        capture_output=True,
        cwd=ROOT,
    )
    shown: dict[str, set[float]] = {}
    for certificate in json.loads(run.stdout)["certificates"]:
        end = datetime.fromisoformat(certificate["not_after"]).timestamp()
        shown.setdefault(certificate["name"], set()).add(end)

    kubeadms = kubeadm_dates()
    assert {name: shown[name] for name in kubeadms} == {name: {end} for name, end in kubeadms.items()}
    assert shown.keys() - kubeadms.keys() == {"kubelet-client", "kubelet-server"}


@pytest.mark.parametrize(("node", "budget"), [("control_plane", 1000), ("worker", 200)])
def test_the_series_budget_holds(node: str, budget: int, request: pytest.FixtureRequest) -> None:
    """A scrape of a node costs its Prometheus less than this."""
    program: Running = request.getfixturevalue(node)

    assert len(program.scrape().series) < budget


def test_no_label_of_ours_is_a_target_label(control_plane: Running) -> None:
    """It would arrive as ``exported_node`` and the like."""
    names = {label for sample in control_plane.scrape().series for label in sample.labels}

    assert names & TARGET_LABELS == set()


def check_metrics(text: str) -> None:
    """Let promtool read and lint an exposition."""
    if not shutil.which("promtool"):
        pytest.skip("needs promtool: apt-get install prometheus")
    run = subprocess.run(
        ["promtool", "check", "metrics"], input=text, check=False, capture_output=True, text=True
    )
    assert (run.returncode, run.stdout, run.stderr) == (0, "", "")


def test_prometheus_reads_the_text(control_plane: Running) -> None:
    """Format, names, units and help of real output are as promtool wants them."""
    check_metrics(control_plane.scrape().text)


def test_prometheus_reads_openmetrics(control_plane: Running) -> None:
    """The strict parser takes it, and it says the same as the text but for what is live."""
    answer = control_plane.ask("/metrics", headers={"Accept": "application/openmetrics-text;version=1.0.0"})
    families = list(parse_openmetrics(answer.body.decode()))  # type: ignore[no-untyped-call]

    assert re.match(r"application/openmetrics-text; version=1\.0\.0", answer.headers["Content-Type"])
    names = {sample.name for family in families for sample in family.samples}
    assert names == control_plane.scrape().names
    plain = {frozenset(sample.labels.items()) for sample in control_plane.scrape().samples(INFO)}
    strict = {frozenset(s.labels.items()) for f in families for s in f.samples if s.name == INFO}
    assert strict == plain


def test_links_are_followed_below_the_root(control_plane: Running) -> None:
    """Absolute links of the kubelet's mean the host's root, and each pair is shown once, by its link."""
    scrape = control_plane.scrape()

    paths = {path for path, _, _ in scrape.places if path.startswith(KUBELET)}
    assert paths == {f"{KUBELET}/kubelet-client-current.pem", f"{KUBELET}/kubelet-server-current.pem"}
    due = scrape.samples("kubepki_certificate_rotation_due_timestamp_seconds")
    assert {sample.labels["role"] for sample in due} == {"kubelet-client", "kubelet-server"}
