"""The kubelet's own rotation, as it works and as it fails."""

import time
from collections.abc import Iterator
from datetime import timedelta

import pytest

from tests.cluster.conftest import Lab
from tests.cluster.issuing import kubelet_client_by_request, redated
from tests.cluster.kubelets import PAIRS, point_to, use_pair
from tests.cluster.lab.waiting import wait_for

pytestmark = pytest.mark.cluster
SECTION = "Kubelet rotation"
SHORT = timedelta(minutes=2)
"""A certificate then spans seven minutes, five of them past; the kubelet rotates it within eighty seconds."""


@pytest.fixture
def short_signing(lab: Lab) -> Iterator[None]:
    """Let the controller managers sign for minutes only."""
    anchor = "    - --cluster-signing-key-file"
    flag = f"    - --cluster-signing-duration={SHORT.total_seconds():.0f}s\n"
    planes = [node for name, node in lab.cluster.nodes.items() if name.startswith("cp")]
    changes = {
        "on": lambda text: text.replace(anchor, flag + anchor),
        "off": lambda text: text.replace(flag, ""),
    }
    for node in planes:
        lab.cluster.restart_static_pods(node, {"kube-controller-manager": changes["on"]})
    yield
    for node in planes:
        lab.cluster.restart_static_pods(node, {"kube-controller-manager": changes["off"]})


@pytest.fixture
def put_back(lab: Lab) -> Iterator[None]:
    """Leave the worker with the client pair that it had, and no other."""
    node = lab.cluster.nodes["w1"]
    folder = node.own(PAIRS)
    before = set(folder.iterdir())
    original = str((folder / "kubelet-client-current.pem").readlink())
    yield
    node.stop("kubelet")
    point_to(node, "client", original)
    for added in set(folder.iterdir()) - before:
        added.unlink()
    lab.cluster.start_kubelet(node)
    lab.cluster.await_ready()


def test_kubelet_rotates_by_itself(lab: Lab, short_signing: None, put_back: None) -> None:
    """The new pair is seen, the old one is superseded, and nobody is told."""
    exporter = lab.exporters["w1"]
    lab.monitoring.await_quiet()
    begun = time.time()
    issued = use_pair(
        lab.cluster, lab.cluster.nodes["w1"], "client", kubelet_client_by_request(lab.cluster, "w1")
    )
    link = f"{PAIRS}/kubelet-client-current.pem"
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
    lab.evidence.show(
        SECTION,
        f"client pair rotated by the kubelet after {waited:.0f} s: seen, old one superseded, no alert",
    )


def test_unapproved_serving_request_is_overdue(lab: Lab) -> None:
    """A serving certificate past nine tenths of its life whose request nobody approves."""
    node = lab.cluster.nodes["w1"]
    lab.monitoring.await_quiet(seconds=90)
    current = node.own(f"{PAIRS}/kubelet-server-current.pem")
    old = current.with_name(current.readlink().name).read_bytes()
    authority = lab.cluster.first.own("/etc/kubernetes/pki/ca")
    begun = time.time()
    use_pair(
        lab.cluster,
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
