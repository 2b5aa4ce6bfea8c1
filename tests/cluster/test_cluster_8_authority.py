"""The first half of a CA rotation, step by step over the nodes, and back."""

import base64
import time
from pathlib import Path

import pytest

from tests.cluster.conftest import Lab
from tests.cluster.issuing import new_authority

pytestmark = pytest.mark.cluster
SECTION = "CA rotation"
ALERT = "KubePKIAuthorityDiffersBetweenNodes"
AUTHORITY = "/etc/kubernetes/pki/ca.crt"


def kubeconfigs(lab: Lab, name: str) -> list[Path]:
    """The kubeconfigs of a node, on the machine."""
    return sorted(lab.cluster.nodes[name].own("/etc/kubernetes").glob("*.conf"))


def stale(lab: Lab, name: str) -> set[str]:
    """The kubeconfigs that the exporter finds stale."""
    return {path for check, path in lab.exporters[name].scrape().findings() if check == "kubeconfig_ca_stale"}


def test_nodes_that_differ_and_stale_kubeconfigs(lab: Lab) -> None:
    """Old and new CA on one node, then on all, then in the kubeconfigs: each gap is seen and closes."""
    files = {name: node.own(AUTHORITY) for name, node in lab.cluster.nodes.items()}
    kept = {path: path.read_bytes() for path in files.values()}
    kept |= {path: path.read_bytes() for name in files for path in kubeconfigs(lab, name)}
    old = files["cp1"].read_bytes()
    both = old + new_authority(old)[0]
    begun = time.time()
    try:
        files["cp1"].write_bytes(both)
        lab.exporters["cp1"].until(
            "stale kubeconfigs",
            lambda samples: "kubeconfig_ca_stale" in {check for check, _ in samples.findings()},
        )
        told = lab.monitoring.await_delivery("firing", begun, seconds=120, alertname=ALERT, role="ca")
        assert told.receiver == "ticket"
        for name in ("cp2", "w1"):
            files[name].write_bytes(both)
        lab.monitoring.await_delivery("resolved", begun, seconds=120, alertname=ALERT, role="ca")
        counts = {name: len(stale(lab, name)) for name in files}
        assert all(counts.values())
        for name in files:
            for path in kubeconfigs(lab, name):
                text = path.read_bytes()
                path.write_bytes(text.replace(base64.b64encode(old), base64.b64encode(both)))
            lab.exporters[name].until(
                "no stale kubeconfig",
                lambda samples: "kubeconfig_ca_stale" not in {check for check, _ in samples.findings()},
            )
    finally:
        for path, content in kept.items():
            path.write_bytes(content)
    lab.evidence.show(SECTION, f"new CA on cp1 only: {ALERT}, resolved once it was on all nodes")
    lab.evidence.show(SECTION, f"stale kubeconfigs by node {counts}: seen until each trusted both CAs")
