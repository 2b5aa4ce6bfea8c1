"""The CA of the cluster is replaced on every node, by the steps of Kubernetes' manual rotation."""

import base64
import time
from collections.abc import Iterable
from typing import Any

import pytest
import yaml
from cryptography import x509
from cryptography.hazmat.primitives import hashes

from tests.cluster.conftest import Lab
from tests.cluster.issuing import kubelet_client_by_request, new_authority
from tests.cluster.kubelets import PAIRS, use_pair
from tests.cluster.lab.node import Node

pytestmark = pytest.mark.cluster
SECTION = "CA rotation"
AUTHORITY = "/etc/kubernetes/pki/ca"
SIGNER = "/etc/kubernetes/pki/signer"
"""The CA that signs, in a file of its own: the controller manager refuses to sign by a file with two."""
RENEWED = ("apiserver", "apiserver-kubelet-client", "admin.conf", "controller-manager.conf", "scheduler.conf")
FORGOTTEN = "super-admin.conf"


def trust(node: Node, authorities: bytes) -> None:
    """Let everything on the node that verifies by file, and its kubelet, trust these CAs."""
    node.own(f"{AUTHORITY}.crt").write_bytes(authorities)
    path = node.own("/etc/kubernetes/kubelet.conf")
    kubeconfig = yaml.safe_load(path.read_text())
    kubeconfig["clusters"][0]["cluster"]["certificate-authority-data"] = base64.b64encode(
        authorities
    ).decode()
    path.write_text(yaml.safe_dump(kubeconfig))


def sign_by(old: str, new: str, lab: Lab, node: Node) -> None:
    """Switch the pair by which the node's controller manager signs."""
    flags = [
        (f"--cluster-signing-{kind}-file={old}.{end}", end) for kind, end in (("cert", "crt"), ("key", "key"))
    ]

    def changed(text: str) -> str:
        for flag, end in flags:
            assert flag in text
            text = text.replace(flag, f"{flag.partition('=')[0]}={new}.{end}")
        return text

    lab.cluster.restart_static_pods(node, {"kube-controller-manager": changed})


def write_pair(node: Node, path: str, certificates: bytes, key: bytes) -> None:
    """Write a CA as kubeadm does."""
    node.own(f"{path}.key").touch(0o600)
    node.own(f"{path}.key").write_bytes(key)
    node.own(f"{path}.crt").write_bytes(certificates)


def renew(node: Node, names: Iterable[str]) -> None:
    """Have kubeadm issue these anew, by the first CA of its file."""
    for name in names:
        node.run("kubeadm", "certs", "renew", name)


def test_authority_is_replaced_step_by_step(lab: Lab) -> None:
    """Nodes that differ are a ticket, a forgotten kubeconfig is a page, and the end is quiet."""
    cluster, nodes = lab.cluster, lab.cluster.nodes
    planes = [node for name, node in nodes.items() if name.startswith("cp")]
    old, old_key = (cluster.first.own(f"{AUTHORITY}.{end}").read_bytes() for end in ("crt", "key"))
    new, key = new_authority(old)
    lab.monitoring.await_quiet()

    begun = time.time()
    differing: dict[str, Any] = {"alertname": "KubePKIAuthorityDiffersBetweenNodes", "role": "ca"}
    for node in planes:
        write_pair(node, SIGNER, old, old_key)
        sign_by(AUTHORITY, SIGNER, lab, node)
    trust(cluster.first, old + new)
    told = lab.monitoring.await_delivery("firing", begun, seconds=120, **differing)
    assert told.receiver == "ticket"
    for node in nodes.values():
        trust(node, old + new)
        cluster.restart_kubelet(node)
    lab.monitoring.await_delivery("resolved", begun, seconds=60, **differing)
    lab.evidence.show(SECTION, "new CA on cp1 only: a ticket, resolved once every node trusts old and new")

    begun = time.time()
    stale: dict[str, Any] = {
        "check": "kubeconfig_ca_stale",
        "node": "cp1",
        "path": f"/etc/kubernetes/{FORGOTTEN}",
    }
    for node in planes:
        write_pair(node, SIGNER, new, key)
        write_pair(node, AUTHORITY, new + old, key)
        renew(node, RENEWED)
        cluster.restart_static_pods(
            node, dict.fromkeys(("kube-apiserver", "kube-controller-manager", "kube-scheduler"), str)
        )
    told = lab.monitoring.await_delivery("firing", begun, **stale)
    assert told.receiver == "page"
    renew(cluster.first, (FORGOTTEN,))
    lab.monitoring.await_delivery("resolved", begun, **stale)
    lab.evidence.show(SECTION, f"{FORGOTTEN} left out of the renewal: a page, resolved by its renewal")

    for name, node in nodes.items():
        node.own(f"{PAIRS}/kubelet-server-current.pem").unlink()
        use_pair(cluster, node, "client", kubelet_client_by_request(cluster, name))
    cluster.await_ready()
    for node in nodes.values():
        trust(node, new)
        cluster.restart_kubelet(node)
    for node in planes:
        sign_by(SIGNER, AUTHORITY, lab, node)
        for end in ("crt", "key"):
            node.own(f"{SIGNER}.{end}").unlink()
    cluster.await_ready()
    lab.monitoring.await_quiet()
    gone = x509.load_pem_x509_certificate(old).fingerprint(hashes.SHA256()).hex()
    for exporter in lab.exporters.values():
        samples = exporter.scrape()
        assert samples.findings() == set()
        assert gone not in samples.fingerprints().values()
    lab.evidence.show(SECTION, "old CA removed from every node: no finding, no alert, shown nowhere")
