"""What each distribution does on purpose, so that it is no defect there (CHECKS 1; KUBERNETES_PKI 10)."""

from collections.abc import Mapping
from dataclasses import dataclass
from fnmatch import fnmatchcase
from typing import Final

from exporter.model import Distribution, FileStatus, Node

SYSTEM_USERS: Final = 999
"""The highest uid that component users are given (Debian policy 9.2.2; ``useradd --system``)."""
_GROUP_READS: Final = 0o040
_ALL_READ: Final = 0o044


@dataclass(frozen=True, slots=True, kw_only=True)
class Design:
    """How one distribution lays out its PKI."""

    key_mode: int = 0o600
    """No looser than this for what holds a private key or token."""
    directory_mode: int = 0o755
    highest_owner: int = 0
    """Owners up to this uid are expected."""
    has_own_group: bool = False
    """Another group than root's has access on purpose."""
    masters: tuple[str, ...] = ()
    """Globs of paths whose certificate is in system:masters."""
    copies: tuple[str, ...] = ()
    """Globs of paths that hold a key a second time."""
    readable: tuple[str, ...] = ()
    """Globs of paths that hold a secret and that everybody may read."""
    keeps_bootstrap: bool = False
    """The bootstrap kubeconfig stays after the join."""


_KUBEADM_MASTERS = (
    "/etc/kubernetes/super-admin.conf",
    "/etc/kubernetes/admin.conf",
    "*/apiserver-kubelet-client.crt",
    "*/apiserver-etcd-client.crt",
    "*/etcd/healthcheck-client.crt",
)
"""The last four until kubeadm 1.28, and longer where they were renewed since (kubeadm ``certlist.go``)."""

_KUBEADM = Design(masters=_KUBEADM_MASTERS)
_RANCHER_ADMINS = ("/etc/rancher/k3s/k3s.yaml", "/etc/rancher/rke2/rke2.yaml")
_K3S = Design(
    masters=(
        "*/tls/client-admin.crt",
        "*/tls/client-kube-apiserver.crt",
        "*/tls/client-supervisor.crt",
        *_RANCHER_ADMINS,
    ),
    copies=(*_RANCHER_ADMINS, "*/tls/service*.key", "*/server/tls/*.key", "*/agent/*.key"),
    highest_owner=SYSTEM_USERS,
    keeps_bootstrap=True,
)

DESIGNS: Final[Mapping[Distribution, Design]] = {
    Distribution.KUBEADM: _KUBEADM,
    Distribution.KIND: _KUBEADM,
    Distribution.MINIKUBE: Design(
        masters=(*_KUBEADM_MASTERS, "/var/lib/minikube/certs/apiserver.crt", "*/certs/proxy-client.crt"),
    ),
    Distribution.K3S: _K3S,
    Distribution.RKE2: _K3S,
    Distribution.K0S: Design(
        key_mode=0o640,
        highest_owner=SYSTEM_USERS,
        masters=("*/pki/admin.*", "*/pki/konnectivity.*", "*/pki/apiserver-kubelet-client.crt"),
        copies=("*/pki/*.conf", "*/pki/*.key"),
    ),
    Distribution.MICROK8S: Design(
        key_mode=0o660,
        directory_mode=0o775,
        has_own_group=True,
        masters=("*/certs/client.*", "*/credentials/client.config", "*/apiserver-kubelet-client.crt"),
        copies=("*/credentials/*.config", "*/certs/*.key"),
    ),
    Distribution.TALOS: Design(
        highest_owner=SYSTEM_USERS, masters=("*/apiserver-kubelet-client.crt",), keeps_bootstrap=True
    ),
    Distribution.OPENSHIFT: Design(masters=("/etc/kubernetes/static-pod-resources/*",), keeps_bootstrap=True),
    Distribution.AKS: Design(readable=("/var/lib/kubelet/bootstrap-kubeconfig",), keeps_bootstrap=True),
    **dict.fromkeys(
        (
            Distribution.EKS,
            Distribution.GKE,
            Distribution.BOTTLEROCKET,
            Distribution.KOPS,
            Distribution.UNKNOWN,
        ),
        Design(keeps_bootstrap=True),
    ),
}


def design_of(distribution: Distribution) -> Design:
    """The design of a distribution."""
    return DESIGNS[distribution]


def is_among(path: str, globs: tuple[str, ...]) -> bool:
    """The path is one of those that the design names."""
    return any(fnmatchcase(path, glob) for glob in globs)


def is_owner_expected(status: FileStatus, node: Node) -> bool:
    """Root, or a user that the distribution's components have; which those are, the host may not tell."""
    users = node.component_users
    highest = SYSTEM_USERS if users is None else design_of(node.distribution).highest_owner
    return status.uid <= highest or status.uid in (users or ())


def key_mode(status: FileStatus, node: Node) -> int:
    """No looser than this, for the holder of a secret; a group made for components may read it."""
    design = design_of(node.distribution)
    by_group = _GROUP_READS if status.gid in node.component_groups else 0
    by_all = _ALL_READ if is_among(status.path, design.readable) else 0
    return design.key_mode | by_group | by_all
