"""Every file of every recorded node has its role and state, and a healthy node gives no finding."""

from collections.abc import Callable
from pathlib import Path

import pytest

from exporter.demo.pki import make_key, private_pem
from exporter.model import Distribution, NodeType
from tests.scenarios.tree import PKI, Tree, Watcher

EXPECTED = Path(__file__).parent / "expected"
NODES = {
    "kubeadm-1.36-control-plane": (Distribution.KUBEADM, NodeType.CONTROL_PLANE),
    "kubeadm-1.36-worker": (Distribution.KUBEADM, NodeType.WORKER),
    "k3s-1.36.3": (Distribution.K3S, NodeType.CONTROL_PLANE),
    "k0s-1.36.3": (Distribution.K0S, NodeType.CONTROL_PLANE),
    "microk8s-1.36": (Distribution.MICROK8S, NodeType.CONTROL_PLANE),
    "minikube-1.38.1": (Distribution.MINIKUBE, NodeType.CONTROL_PLANE),
}


@pytest.mark.parametrize("recorded", NODES)
def test_a_healthy_node_raises_nothing(unpacked: Callable[[str], Path], recorded: str) -> None:
    """No finding, no failure, no missing file, and the right distribution (DESIGN 1.6)."""
    seen = Watcher(unpacked(recorded)).look_twice()

    assert (seen.findings, seen.failures, seen.missing) == (frozenset(), frozenset(), frozenset())
    assert (seen.inventory.node.distribution, seen.inventory.node.type) == NODES[recorded]


@pytest.mark.parametrize("recorded", NODES)
def test_a_healthy_node_raises_nothing_where_no_key_is_opened(
    unpacked: Callable[[str], Path], recorded: str
) -> None:
    """Nor is a broken key told then, since nobody looks."""
    tree = Tree(unpacked(recorded))
    if recorded == "kubeadm-1.36-control-plane":
        tree.write(f"{PKI}/apiserver.key", b"")
        tree.write(f"{PKI}/sa-public-key.pem", tree.read(f"{PKI}/sa.pub"), 0o644)

    seen = Watcher(tree.root, match_keys=False).look_twice()

    assert (seen.findings, seen.failures, seen.missing) == (frozenset(), frozenset(), frozenset())


@pytest.mark.parametrize("match_keys", [True, False])
def test_a_loose_key_is_told_whether_it_is_opened_or_not(
    unpacked: Callable[[str], Path], *, match_keys: bool
) -> None:
    """Its name tells where its content does not, and what only has such a name is let be where it is read."""
    tree = Tree(unpacked("kubeadm-1.36-worker"))
    tree.write(f"{PKI}/client-key.pem", private_pem(make_key()), 0o644)
    tree.write(f"{PKI}/keycloak.pem", b"nothing\n", 0o644)
    if match_keys:
        tree.write(f"{PKI}/key-rotation.txt", b"nothing\n", 0o644)

    seen = Watcher(tree.root, match_keys=match_keys).look_twice()

    assert seen.findings == {("mode_loose", f"{PKI}/client-key.pem", "")}


@pytest.mark.parametrize("recorded", NODES)
def test_every_certificate_has_its_role_and_state(unpacked: Callable[[str], Path], recorded: str) -> None:
    """By name, place by place (CHECKS 2)."""
    seen = Watcher(unpacked(recorded)).look_twice()

    rows = [
        f"{found.place.path}#{found.place.entry}[{found.place.index}] {found.role} {found.state}"
        for found in seen.inventory.occurrences
    ]

    assert rows == (EXPECTED / f"{recorded}.txt").read_text(encoding="utf-8").splitlines()
