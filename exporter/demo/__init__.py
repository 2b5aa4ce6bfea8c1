"""A throwaway node to look at and to test with."""

from datetime import datetime, timedelta
from pathlib import Path

from exporter.demo.node import PKI, DemoNode, make_node

__all__ = ["DemoNode", "make_demo", "make_node"]


def make_demo(root: Path, *, now: datetime) -> DemoNode:
    """Write a node of three years with something healthy, expiring, expired, superseded and broken."""
    day = timedelta(days=1)
    node = make_node(root, now=now, born=now - 3 * 365 * day)
    node.leaf("apiserver-kubelet-client", not_before=now - 344 * day, not_after=now + 21 * day)
    node.leaf("apiserver-etcd-client", not_before=now - 361 * day, not_after=now + 4 * day)
    node.leaf("front-proxy-client", not_before=now - 367 * day, not_after=now - 2 * day)
    node.kubeconfig("scheduler.conf", "system:kube-scheduler", not_after=now + 25 * day)
    for age in (280, 560, 840, 1090):
        node.kubelet_pair("client", now - age * day)
    certificate = root / PKI / "etcd/healthcheck-client.crt"
    certificate.write_bytes(certificate.read_bytes()[:400])
    old = node.leaf("apiserver", not_before=now - 405 * day, not_after=now - 40 * day)
    node.write(f"{PKI}/apiserver.crt.bak", old.pem, 0o644)
    node.leaf("apiserver")
    stray = node.leaf("etcd/server")
    node.leaf("etcd/server")
    node.write(f"{PKI}/etcd/peer.crt", stray.pem, 0o644)
    (root / PKI / "ca.key").chmod(0o644)
    return node
