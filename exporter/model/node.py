"""What the node is, apart from its files."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from types import MappingProxyType

from exporter.model.reference import Origin


class Distribution(StrEnum):
    """The Kubernetes distribution, as its files give it away."""

    KUBEADM = "kubeadm"
    K3S = "k3s"
    RKE2 = "rke2"
    K0S = "k0s"
    MICROK8S = "microk8s"
    MINIKUBE = "minikube"
    KIND = "kind"
    KOPS = "kops"
    OPENSHIFT = "openshift"
    TALOS = "talos"
    EKS = "eks"
    AKS = "aks"
    GKE = "gke"
    BOTTLEROCKET = "bottlerocket"
    UNKNOWN = "unknown"


class NodeType(StrEnum):
    """Whether control-plane components run here."""

    CONTROL_PLANE = "control_plane"
    WORKER = "worker"


@dataclass(frozen=True, slots=True, kw_only=True)
class Listener:
    """One URL that an etcd is configured to listen on (etcd ``server/embed/config.go``)."""

    url: str
    listener: str
    """``client``, ``peer`` or ``metrics``."""
    transport: str
    """``tls`` or ``plaintext``."""
    client_auth: str
    """``required``, ``none`` or ``unknown``."""
    origin: Origin


@dataclass(frozen=True, slots=True, kw_only=True)
class KubeletSettings:
    """Effective settings of the kubelet; None where no evidence was found."""

    rotate_certificates: bool | None = None
    rotate_certificates_origin: Origin | None = None
    server_tls_bootstrap: bool | None = None
    server_tls_bootstrap_origin: Origin | None = None
    certificate_directory: str = ""
    """``--cert-dir``; empty where no kubelet was found, or nothing that can be believed names it."""
    kubeconfig: str = ""
    bootstrap_kubeconfig: str = ""
    static_pod_path: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Node:
    """The node as its own configuration shows it."""

    name: str = ""
    """Empty where nothing tells."""
    host_name: str = ""
    """What the host calls itself, which a cloud's Node may not be named by; empty where nothing tells."""
    distribution: Distribution = Distribution.UNKNOWN
    type: NodeType = NodeType.WORKER
    addresses: tuple[str, ...] = ()
    """IP addresses of the node that its configuration names."""
    api_names: tuple[str, ...] = ()
    """Hosts and addresses that the API server's certificate must cover, as configured here."""
    etcd_names: tuple[str, ...] = ()
    """Hosts and addresses of etcd's listen and advertise URLs for clients."""
    etcd_peer_names: tuple[str, ...] = ()
    kubelet: KubeletSettings = field(default_factory=KubeletSettings)
    listeners: tuple[Listener, ...] = ()
    etcd_path: str = ""
    """The document that configures etcd; empty where only its process tells."""
    etcd_auto_tls: tuple[str, ...] = ()
    """``auto-tls`` and ``peer-auto-tls``, those that are on."""
    component_users: frozenset[int] | None = None
    """Uids that the distribution gives its components, besides root; None where the host does not tell."""
    component_groups: frozenset[int] = frozenset()
    """Gids that it gives them to share a key."""
    processes_ignored: Mapping[str, int] = field(default_factory=lambda: MappingProxyType({}))
    """Reason to number of processes that look like a component but do not count."""
    component_starts: Mapping[str, float] = field(default_factory=lambda: MappingProxyType({}))
    """Component to the Unix time at which the earliest of its processes that count started."""
