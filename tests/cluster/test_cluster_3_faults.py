"""What goes wrong on a node is found within seconds, paged with the right text, and gone after repair."""

import shutil
import time
from datetime import timedelta
from typing import Any

import pytest

from tests.cluster.conftest import Lab
from tests.cluster.faults import prove_fault
from tests.cluster.issuing import redated
from tests.cluster.lab.node import Node

pytestmark = pytest.mark.cluster
SECTION = "Faults"
PROXY_CLIENT = "/etc/kubernetes/pki/front-proxy-client.crt"


def expire(node: Node, days: float) -> None:
    """Give the front proxy's client certificate these days, of a year."""
    path = node.own(PROXY_CLIENT)
    authority = node.own("/etc/kubernetes/pki/front-proxy-ca")
    certificate, key = redated(
        path.read_bytes(), authority, age=timedelta(days=365 - days), left=timedelta(days=days)
    )
    path.with_suffix(".key").write_bytes(key)
    path.write_bytes(certificate)


def test_expiring_certificate_warns_then_pages(lab: Lab) -> None:
    """Twenty days are a ticket, three a page, both with what breaks; a renewal ends it."""
    node = lab.cluster.first
    lab.monitoring.await_quiet()
    begun = time.time()
    about: dict[str, Any] = {"node": "cp1", "path": PROXY_CLIENT}
    expire(node, 20)
    warning = lab.monitoring.await_delivery(
        "firing", begun, alertname="KubePKICertificateExpiresSoon", **about
    )
    assert warning.receiver == "ticket"
    expire(node, 3)
    critical = lab.monitoring.await_delivery(
        "firing", begun, alertname="KubePKICertificateExpiresVerySoon", **about
    )
    assert critical.receiver == "page"
    for told, days in ((warning, "19d"), (critical, "2d")):
        text = " ".join(told.annotations["description"].split())
        assert f"front-proxy-client certificate in {PROXY_CLIENT} on node cp1 expires in {days}" in text
        assert "aggregated APIs such as metrics.k8s.io fail through this API server" in text
    node.run("kubeadm", "certs", "renew", "front-proxy-client")
    lab.monitoring.await_delivery("resolved", begun, alertname="KubePKICertificateExpiresVerySoon", **about)
    lab.monitoring.await_quiet()
    lab.evidence.show(SECTION, f"expiring: ticket, then page: “{text}”, resolved after `kubeadm certs renew`")


def test_readable_authority_key(lab: Lab) -> None:
    """A CA key that everybody on the node can read."""
    key = lab.cluster.first.own("/etc/kubernetes/pki/ca.key")
    prove_fault(
        *(lab, SECTION, "cp1", "mode_loose", "/etc/kubernetes/pki/ca.key"),
        breaking=lambda: key.chmod(0o644),
        repair=lambda: key.chmod(0o600),
    )


def test_replaced_kubelet_link(lab: Lab) -> None:
    """A copy where the kubelet's link should be: it can never rotate again."""
    link = lab.cluster.nodes["w1"].own("/var/lib/kubelet/pki/kubelet-client-current.pem")
    target = link.readlink()

    def copy() -> None:
        link.unlink()
        shutil.copy2(link.with_name(target.name), link)

    def restore() -> None:
        link.unlink()
        link.symlink_to(target)

    prove_fault(
        *(lab, SECTION, "w1", "kubelet_link_replaced", "/var/lib/kubelet/pki/kubelet-client-current.pem"),
        breaking=copy,
        repair=restore,
    )


def configure_kubelet(lab: Lab, node: Node, old: str, new: str) -> None:
    """Change the kubelet's configuration in place, as kubeadm does, and restart it."""
    configuration = node.own("/var/lib/kubelet/config.yaml")
    text = configuration.read_text()
    assert old in text
    configuration.write_text(text.replace(old, new))
    lab.cluster.restart_kubelet(node)


def test_rotation_switched_off(lab: Lab) -> None:
    """A kubelet that will not renew its client certificate."""
    node = lab.cluster.nodes["w1"]
    on, off = "rotateCertificates: true", "rotateCertificates: false"
    prove_fault(
        *(lab, SECTION, "w1", "kubelet_rotation_disabled", "/var/lib/kubelet/pki/kubelet-client-current.pem"),
        breaking=lambda: configure_kubelet(lab, node, on, off),
        repair=lambda: configure_kubelet(lab, node, off, on),
    )
    lab.cluster.await_ready()


def test_etcd_without_client_authentication(lab: Lab) -> None:
    """etcd restarted so that it asks no client for a certificate."""
    node = lab.cluster.first
    path = "/etc/kubernetes/manifests/etcd.yaml"
    text = node.own(path).read_text()

    def unguarded(text: str) -> str:
        """Also without a CA to verify clients with, since with one etcd demands their certificates anyway."""
        lines = text.replace("--client-cert-auth=true", "--client-cert-auth=false").splitlines(keepends=True)
        return "".join(line for line in lines if " --trusted-ca-file=" not in line)

    def repair() -> None:
        lab.cluster.restart_static_pods(node, {"etcd": lambda _: text})
        lab.cluster.await_api_server()

    prove_fault(
        *(lab, SECTION, "cp1", "etcd_client_auth_missing", path),
        breaking=lambda: lab.cluster.restart_static_pods(node, {"etcd": unguarded}),
        repair=repair,
    )
