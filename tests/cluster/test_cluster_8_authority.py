"""The first steps of a CA rotation over the nodes, and back."""

import time

import pytest

from tests.cluster.conftest import Lab
from tests.cluster.issuing import new_authority

pytestmark = pytest.mark.cluster
ALERT = "KubePKIAuthorityDiffersBetweenNodes"
AUTHORITY = "/etc/kubernetes/pki/ca.crt"


def test_nodes_that_differ(lab: Lab) -> None:
    """Old and new CA on one control plane are told until they are on every node."""
    files = {name: node.own(AUTHORITY) for name, node in lab.cluster.nodes.items()}
    old = files["cp1"].read_bytes()
    both = old + new_authority(old)[0]
    begun = time.time()
    try:
        files["cp1"].write_bytes(both)
        told = lab.monitoring.await_delivery("firing", begun, seconds=120, alertname=ALERT, role="ca")
        assert told.receiver == "ticket"
        for name in ("cp2", "w1"):
            files[name].write_bytes(both)
        lab.monitoring.await_delivery("resolved", begun, seconds=120, alertname=ALERT, role="ca")
    finally:
        for path in files.values():
            path.write_bytes(old)
    lab.evidence.show("CA rotation", f"new CA on cp1 only: {ALERT}, resolved once it was on all nodes")
