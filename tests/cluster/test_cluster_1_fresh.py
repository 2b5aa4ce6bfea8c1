"""A fresh cluster: everything is found, everything is right, and nobody is paged."""

import json
import re
import subprocess
from datetime import datetime

import pytest

from tests.cluster.conftest import Lab
from tests.cluster.lab.waiting import wait_for
from tests.cluster.project import PROJECT
from tests.cluster.samples import Samples

pytestmark = pytest.mark.cluster
SECTION = "Fresh cluster"
CONTROL_PLANES = ("cp1", "cp2")
KUBELET_ROLES = ("kubelet-client", "kubelet-server")


def test_prometheus_discovers_every_node(lab: Lab) -> None:
    """The shipped job finds the pods by itself and gives each series the name of its node (issue 6, 2)."""

    def found() -> set[str]:
        answer = lab.monitoring.query('up{job="kube-pki-exporter"} == 1')
        return {labels["node"] for labels, _ in answer}

    wait_for("every target", lambda: found() == set(lab.cluster.nodes), seconds=60)
    named = lab.monitoring.query("kubepki_node_info")
    assert [(labels["node"], labels["node_name"]) for labels, _ in named] == [
        (labels["node"],) * 2 for labels, _ in named
    ]
    assert not [labels for labels, _ in named if any(name.startswith("exported_") for name in labels)]
    lab.evidence.show(
        SECTION, f"Prometheus discovered {', '.join(sorted(found()))}; each node label is right"
    )


def told_by_kubeadm(lab: Lab, node: str) -> dict[str, float]:
    """What kubeadm says about the expiry of each certificate and CA."""
    told = json.loads(lab.cluster.nodes[node].run("kubeadm", "certs", "check-expiration", "-o", "json"))
    rows = [*told["certificates"], *told["certificateAuthorities"]]
    return {
        row["name"]: datetime.fromisoformat(row["expirationDate"]).timestamp()
        for row in rows
        if not row["missing"]
    }


def told_by_exporter(samples: Samples) -> dict[str, float]:
    """What the exporter says about each role that kubeadm knows; ValueError where its files disagree."""
    dates: dict[str, set[float]] = {}
    for each in samples.of("kubepki_certificate_not_after_timestamp_seconds", state="in_use"):
        dates.setdefault(each.labels["role"], set()).add(each.value)
    if several := {role: values for role, values in dates.items() if len(values) > 1}:
        message = f"several dates: {several}"
        raise ValueError(message)
    return {role: values.pop() for role, values in dates.items()}


@pytest.mark.parametrize("node", CONTROL_PLANES)
def test_names_and_dates_equal_kubeadms(lab: Lab, node: str) -> None:
    """Roles are kubeadm's words, dates are kubeadm's dates, and the kubelet's two come on top."""
    expected = told_by_kubeadm(lab, node)
    shown = told_by_exporter(lab.exporters[node].scrape())
    assert {role: date for role, date in shown.items() if role not in KUBELET_ROLES} == expected
    lab.evidence.show(
        SECTION, f"{node}: {len(expected)} names and dates equal `kubeadm certs check-expiration`"
    )


def test_kubelet_pairs_are_shown_on_every_node(lab: Lab) -> None:
    """What kubeadm leaves out: the kubelet's client and serving certificates, the target of each link."""
    for name, exporter in lab.exporters.items():
        for role in KUBELET_ROLES:
            link = f"/var/lib/kubelet/pki/{role}-current.pem"
            dates = exporter.scrape().expiry(role=role, state="in_use")
            assert list(dates) == [link]
            told = lab.cluster.nodes[name].run("openssl", "x509", "-noout", "-enddate", "-in", link)
            ends = datetime.strptime(told.strip().replace("GMT", "+0000"), "notAfter=%b %d %H:%M:%S %Y %z")
            assert dates[link] == ends.timestamp()
    lab.evidence.show(
        SECTION,
        "the kubelet's client and serving certificates are shown on every node, dates equal openssl's",
    )


def test_no_finding_and_no_alert(lab: Lab) -> None:
    """A fresh cluster raises no finding, no failure and no alert, not even a pending one."""
    for exporter in lab.exporters.values():
        samples = exporter.scrape()
        assert samples.findings() == set()
        assert list(samples.of("kubepki_document_failure")) == []
    lab.monitoring.await_quiet(seconds=30)
    wait_for("ten scrapes", lambda: lab.monitoring.query("min(count_over_time(up[15s])) >= 10"), seconds=60)
    assert lab.monitoring.alerts() == set()
    assert lab.monitoring.deliveries == []
    lab.evidence.show(
        SECTION, "no finding, no unreadable document, no alert pending or firing, nothing delivered"
    )


def test_worker_shows_a_worker(lab: Lab) -> None:
    """A worker misses nothing and has no control-plane series, within its budget of series."""
    samples = lab.exporters["w1"].scrape()
    missing = [
        each.labels
        for each in samples.of("kubepki_reference_present", requirement="required")
        if each.value == 0
    ]
    assert missing == []
    roles = {each.labels["role"] for each in samples.of("kubepki_certificate_not_after_timestamp_seconds")}
    assert roles == {"ca", *KUBELET_ROLES}
    components = {each.labels["component"] for each in samples.of("kubepki_reference_present")}
    assert components == {"kubelet"}
    assert list(samples.of("kubepki_etcd_listener_info")) == []
    (info,) = samples.of("kubepki_node_info")
    assert (info.labels["node_type"], info.labels["node_name"]) == ("worker", "w1")
    sizes = {name: len(exporter.scrape().all) for name, exporter in lab.exporters.items()}
    assert sizes["w1"] < 200
    assert all(sizes[name] < 1000 for name in CONTROL_PLANES)
    lab.evidence.show(
        SECTION, f"the worker misses no file and has no control-plane series; series by node: {sizes}"
    )


def test_shared_process_table_is_seen_through(lab: Lab) -> None:
    """In the machine's process table a worker counts foreign components and does not believe them."""
    worker = lab.cluster.nodes["w1"]
    program = PROJECT / ".venv/bin/kube-pki-exporter"
    script = f"mount -t proc proc /proc; exec {program} check -o prometheus"
    done = subprocess.run(
        ("nsenter", "-t", str(worker.pid("init")), "-m", "-n", "-u", "unshare", "-m", "bash", "-c", script),
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    samples = Samples.read(done.stdout)
    ignored = {each.labels["reason"]: each.value for each in samples.of("kubepki_processes_ignored")}
    assert sum(ignored.values()) >= 8  # four static pods on each of two control planes
    # The nodes' kube-proxies run beside their process tables, so here they are the machine's own.
    components = {each.labels["component"] for each in samples.of("kubepki_reference_present")}
    assert components <= {"kubelet", "kube-proxy"}
    assert samples.findings() == set()
    lab.evidence.show(
        SECTION, f"with the machine's process table the worker ignores foreign processes: {ignored}"
    )


def test_shipped_commands_work(lab: Lab) -> None:
    """`check` in the pod's own image answers 0 on every node, without any cluster access."""
    for name in lab.cluster.nodes:
        answer = lab.exporters[name].run("kube-pki-exporter", "check", "--host-root", "/host")
        assert re.match(rf"{name} \(kubeadm, ", answer)
    lab.evidence.show(SECTION, "`kube-pki-exporter check` in the pod exits 0 on every node")
