"""What is measured: a control-plane node, and one with 5,000 certificates besides."""

import time
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

from exporter.demo import make_node
from exporter.demo.node import PKI
from exporter.demo.pki import Issued, make_key, make_leaf

MANY = 5_000
MANY_PATTERN = "/opt/pki/*.crt"


@dataclass(slots=True)
class Tree:
    """A node's files, and what changes one of them."""

    root: Path
    certificates: int
    changing: Path
    """The file that ``renew`` replaces."""
    authority: Issued
    renewals: int = 0

    def renew(self) -> int:
        """Rename a new certificate over the old one; return its notAfter, which no other file has."""
        self.renewals += 1
        not_after = datetime.fromtimestamp(int(time.time()), UTC) + timedelta(days=400, seconds=self.renewals)
        issued = _issue(self.authority, not_after)
        fresh = self.changing.with_name("fresh")
        fresh.write_bytes(issued.pem)
        fresh.rename(self.changing)
        return int(not_after.timestamp())


def make_control_plane(root: Path) -> Tree:
    """Write a healthy kubeadm control-plane node."""
    node = make_node(root, now=datetime.fromtimestamp(int(time.time()), UTC))
    return Tree(root, 21, root / PKI / "apiserver.crt", node.ca)


def make_many(root: Path) -> Tree:
    """Write the same node with 5,000 certificates of its CA, each in a file with a key of its own."""
    tree = make_control_plane(root)
    directory = root / "opt/pki"
    directory.mkdir(parents=True)
    end = datetime.fromtimestamp(int(time.time()), UTC) + timedelta(days=365)
    for number in range(MANY):
        (directory / f"{number:04}.crt").write_bytes(_issue(tree.authority, end).pem)
    return Tree(root, 21 + MANY, directory / "0000.crt", tree.authority)


def _issue(authority: Issued, not_after: datetime) -> Issued:
    return make_leaf(
        authority,
        f"service-{not_after.timestamp():.0f}",
        now=not_after - timedelta(days=366),
        not_after=not_after,
        sans=("kubernetes", "kubernetes.default", "10.96.0.1"),
        key=make_key(),
    )
