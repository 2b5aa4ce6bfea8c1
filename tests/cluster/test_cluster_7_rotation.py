"""The kubelet's own rotation, as it works and as it fails."""

import time
from collections.abc import Iterator
from datetime import timedelta

import pytest

from tests.cluster.conftest import Lab
from tests.cluster.issuing import kubelet_client_by_request, redated
from tests.cluster.lab.node import Node
from tests.cluster.lab.waiting import wait_for

pytestmark = pytest.mark.cluster
SECTION = "Kubelet rotation"
DIRECTORY = "/var/lib/kubelet/pki"
SHORT = timedelta(minutes=3)
"""A certificate then spans eight minutes, five of them past; the kubelet rotates it within two."""


def use_pair(lab: Lab, node: Node, kind: str, pair: bytes) -> str:
    """Let the kubelet start with this pair; return the pair's path."""
    name = f"kubelet-{kind}-{time.strftime('%Y-%m-%d-%H-%M-%S')}.pem"
    link = node.own(f"{DIRECTORY}/kubelet-{kind}-current.pem")
    node.stop("kubelet")
    written = link.with_name(name)
    written.write_bytes(pair)
    written.chmod(0o600)
    point_to(node, kind, f"{DIRECTORY}/{name}")
    lab.cluster.start_kubelet(node)
    return f"{DIRECTORY}/{name}"


def point_to(node: Node, kind: str, target: str) -> None:
    """Switch the kubelet's link."""
    link = node.own(f"{DIRECTORY}/kubelet-{kind}-current.pem")
    fresh = link.with_name("updated")
    fresh.symlink_to(target)
    fresh.rename(link)


@pytest.fixture
def short_signing(lab: Lab) -> Iterator[None]:
    """Let the controller managers sign for minutes only."""
    flag = f"    - --cluster-signing-duration={SHORT.total_seconds():.0f}s\n"
    anchor = "    - --cluster-signing-key-file"
    planes = [node for name, node in lab.cluster.nodes.items() if name.startswith("cp")]
    manifests = [node.own("/etc/kubernetes/manifests/kube-controller-manager.yaml") for node in planes]
    texts = [manifest.read_text() for manifest in manifests]

    def restarted(wanted: bool) -> bool:
        pods = lab.cluster.objects("pods", "-n", "kube-system", "-l", "component=kube-controller-manager")
        flags = ["--cluster-signing-duration" in str(pod["spec"]["containers"][0]["command"]) for pod in pods]
        ready = [status["ready"] for pod in pods for status in pod["status"].get("containerStatuses", ())]
        return flags == [wanted] * len(planes) and all(ready) and len(ready) == len(planes)

    for manifest, text in zip(manifests, texts, strict=True):
        manifest.write_text(text.replace(anchor, f"{flag}{anchor}"))
    wait_for("the controller managers", lambda: restarted(True), seconds=120)
    yield
    for manifest, text in zip(manifests, texts, strict=True):
        manifest.write_text(text)
    wait_for("the controller managers", lambda: restarted(False), seconds=120)


def test_kubelet_rotates_by_itself(lab: Lab, short_signing: None) -> None:
    """The new pair is seen, the old one is superseded, and nobody is told."""
    node, exporter = lab.cluster.nodes["w1"], lab.exporters["w1"]
    lab.monitoring.await_quiet()
    original = str(node.own(f"{DIRECTORY}/kubelet-client-current.pem").readlink())
    begun = time.time()
    issued = use_pair(lab, node, "client", kubelet_client_by_request(lab.cluster, "w1"))
    try:
        link = f"{DIRECTORY}/kubelet-client-current.pem"
        first, _ = exporter.until(
            "the short pair", lambda samples: (samples.expiry()[link] - time.time()) < 600, seconds=30
        )
        place = f"{link}  0"
        after, waited = exporter.until(
            "the kubelet's new pair",
            lambda samples: samples.fingerprints()[place] != first.fingerprints()[place],
            seconds=240,
        )
        assert issued in after.expiry(state="superseded")
        assert list(lab.monitoring.delivered("firing", begun, node="w1")) == []
    finally:
        node.stop("kubelet")
        point_to(node, "client", original)
        lab.cluster.start_kubelet(node)
        lab.cluster.await_ready()
    lab.evidence.show(
        SECTION,
        f"client pair rotated by the kubelet after {waited:.0f} s: seen, old one superseded, no alert",
    )


def test_unapproved_serving_request_is_overdue(lab: Lab) -> None:
    """A serving certificate past nine tenths of its life whose request nobody approves."""
    node = lab.cluster.nodes["w1"]
    lab.monitoring.await_quiet(seconds=90)
    current = node.own(f"{DIRECTORY}/kubelet-server-current.pem")
    old = current.with_name(current.readlink().name).read_bytes()
    authority = lab.cluster.first.own("/etc/kubernetes/pki/ca")
    begun = time.time()
    use_pair(
        lab,
        node,
        "server",
        b"".join(redated(old, authority, age=timedelta(days=364), left=timedelta(hours=2))),
    )
    told = lab.monitoring.await_delivery(
        "firing", begun, alertname="KubePKIKubeletRotationOverdue", node="w1", role="kubelet-server"
    )
    assert told.receiver == "page"
    wait_for("the kubelet's request", lab.cluster.approve_serving, seconds=90)
    lab.monitoring.await_delivery("resolved", begun, alertname="KubePKIKubeletRotationOverdue", node="w1")
    lab.monitoring.await_quiet()
    lab.evidence.show(
        SECTION, "serving request unapproved: KubePKIKubeletRotationOverdue, resolved by its approval"
    )
