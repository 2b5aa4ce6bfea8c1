"""A kubelet's pairs, put in place as the kubelet keeps them."""

import time

from tests.cluster.lab.cluster import Cluster
from tests.cluster.lab.node import Node

PAIRS = "/var/lib/kubelet/pki"


def use_pair(cluster: Cluster, node: Node, kind: str, pair: bytes) -> str:
    """Let the kubelet start with this client or server pair; return the pair's path."""
    path = f"{PAIRS}/kubelet-{kind}-{time.strftime('%Y-%m-%d-%H-%M-%S')}.pem"
    node.stop("kubelet")
    node.own(path).write_bytes(pair)
    node.own(path).chmod(0o600)
    point_to(node, kind, path)
    cluster.start_kubelet(node)
    return path


def point_to(node: Node, kind: str, target: str) -> None:
    """Switch the kubelet's link."""
    link = node.own(f"{PAIRS}/kubelet-{kind}-current.pem")
    fresh = link.with_name("updated")
    fresh.symlink_to(target)
    fresh.rename(link)
