"""Which flag of which component names a file, what the file is to it, and its role by default.

From the option files of Kubernetes 1.34 to 1.37 and etcd 3.5 to 3.7 (KUBERNETES: ``cmd/*/app/options``,
``pkg/kubeapiserver/options``, ``staging/src/k8s.io/apiserver/pkg/server/options``; etcd:
``server/embed/config.go``). A distribution's own name for a path goes before the role given here.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from exporter.model import Part, Requirement, Role


@dataclass(frozen=True, slots=True)
class Setting:
    """What a flag's file is to its component."""

    part: Part
    role: Role
    requirement: Requirement = Requirement.REQUIRED


def _certificate(role: Role) -> Setting:
    return Setting(Part.CERTIFICATE, role)


def _key(role: Role) -> Setting:
    return Setting(Part.PRIVATE_KEY, role)


def _trust(role: Role) -> Setting:
    return Setting(Part.TRUST, role)


def _kubeconfig(role: Role) -> Setting:
    return Setting(Part.KUBECONFIG, role)


def _pair(certificate: str, key: str, role: Role) -> dict[str, Setting]:
    return {certificate: _certificate(role), key: _key(role)}


def _controller(client: Role, server: Role) -> dict[str, Setting]:
    """The flags that every component built on the API server's library has."""
    return {
        "kubeconfig": _kubeconfig(client),
        "authentication-kubeconfig": _kubeconfig(client),
        "authorization-kubeconfig": _kubeconfig(client),
        "client-ca-file": _trust(Role.CA),
        "requestheader-client-ca-file": _trust(Role.FRONT_PROXY_CA),
        **_pair("tls-cert-file", "tls-private-key-file", server),
    }


_SIGNERS = ("", "kubelet-serving-", "kubelet-client-", "kube-apiserver-client-", "legacy-unknown-")

FILES: Final[Mapping[str, Mapping[str, Setting]]] = {
    "kube-apiserver": {
        **_pair("tls-cert-file", "tls-private-key-file", Role.APISERVER),
        **_pair("kubelet-client-certificate", "kubelet-client-key", Role.APISERVER_KUBELET_CLIENT),
        **_pair("proxy-client-cert-file", "proxy-client-key-file", Role.FRONT_PROXY_CLIENT),
        **_pair("etcd-certfile", "etcd-keyfile", Role.APISERVER_ETCD_CLIENT),
        "client-ca-file": _trust(Role.CA),
        "requestheader-client-ca-file": _trust(Role.FRONT_PROXY_CA),
        "kubelet-certificate-authority": _trust(Role.CA),
        "etcd-cafile": _trust(Role.ETCD_CA),
        "oidc-ca-file": _trust(Role.OTHER),
        "peer-ca-file": _trust(Role.OTHER),
        "service-account-key-file": _key(Role.OTHER),
        "service-account-signing-key-file": _key(Role.OTHER),
        "authentication-token-webhook-config-file": _kubeconfig(Role.KUBECONFIG_USER),
        "authorization-webhook-config-file": _kubeconfig(Role.KUBECONFIG_USER),
        "audit-webhook-config-file": _kubeconfig(Role.KUBECONFIG_USER),
    },
    "kube-controller-manager": {
        **_controller(Role.CONTROLLER_MANAGER, Role.CONTROLLER_MANAGER_SERVER),
        "root-ca-file": _trust(Role.CA),
        "service-account-private-key-file": _key(Role.OTHER),
        **{f"cluster-signing-{signer}cert-file": _certificate(Role.CA) for signer in _SIGNERS},
        **{f"cluster-signing-{signer}key-file": _key(Role.CA) for signer in _SIGNERS},
    },
    "kube-scheduler": _controller(Role.SCHEDULER, Role.SCHEDULER_SERVER),
    "cloud-controller-manager": {
        **_controller(Role.CLOUD_CONTROLLER_CLIENT, Role.OTHER),
        **_pair("webhook-tls-cert-file", "webhook-tls-private-key-file", Role.OTHER),
    },
    "kube-proxy": {"kubeconfig": _kubeconfig(Role.KUBE_PROXY_CLIENT)},
    "konnectivity-server": {
        "kubeconfig": _kubeconfig(Role.KONNECTIVITY_CLIENT),
        **_pair("cluster-cert", "cluster-key", Role.OTHER),
        "cluster-ca-cert": _trust(Role.CA),
        **_pair("server-cert", "server-key", Role.OTHER),
        "server-ca-cert": _trust(Role.CA),
    },
    "kubelet": {
        "kubeconfig": _kubeconfig(Role.KUBELET_CLIENT),
        "bootstrap-kubeconfig": Setting(Part.KUBECONFIG, Role.KUBELET_CLIENT, Requirement.OPTIONAL),
    },
    "cluster-agent": _pair("certfile", "keyfile", Role.APISERVER),
    "etcd": {},
}
"""Component to flag to setting; the kubelet's merged settings and etcd's have modules of their own."""

COMPONENTS: Final = frozenset(FILES)
"""Base names of the programs that use certificates by flag."""

MULTIPLE: Final = frozenset({"k3s", "rke2", "k0s", "kubelite"})
"""Programs that run several components in one process; their flags are not the components'."""

CONTROL_PLANE: Final = frozenset({"kube-apiserver", "kube-controller-manager", "kube-scheduler", "etcd"})
"""Components that make a node a control-plane node."""

OWN_CERTIFICATES: Final[Mapping[str, str]] = {
    "kube-apiserver": "apiserver",
    "kube-controller-manager": "kube-controller-manager",
    "kube-scheduler": "kube-scheduler",
    "cloud-controller-manager": "cloud-controller-manager",
}
"""Base name of the pair that a component makes in ``--cert-dir`` without ``--tls-cert-file``."""
