"""Nodes whose control plane somebody else runs: EKS, Bottlerocket, AKS, GKE; and nodes of no known making.

EKS ``nodeadm/internal/kubelet``; Bottlerocket ``sources/shared-defaults/kubernetes-services.toml``; AKS
AgentBaker ``parts/linux/cloud-init/artifacts``; GKE from ``cluster/gce/gci/configure-helper.sh``.
"""

from typing import Final

from exporter.discovery.distributions.layout import DefaultCommand, Layout, pair
from exporter.model import Distribution, Role

_DIRECTORIES = ("/etc/kubernetes", "/var/lib/kubelet/pki")
_KUBECONFIG = "--kubeconfig=/var/lib/kubelet/kubeconfig"

EKS: Final = Layout(
    distribution=Distribution.EKS,
    marks=(
        "/etc/eks",
        "/etc/kubernetes/kubelet/config.json",
        "/etc/kubernetes/kubelet/kubelet-config.json",
    ),
    directories=(*_DIRECTORIES, "/etc/iam/pki"),
    searches=("/etc/kubernetes/pki/**", "/var/lib/kubelet/pki/*", "/etc/iam/pki/*"),
    enabled=("kubelet",),
    unit="kubelet.service",
    commands=(
        DefaultCommand(
            component="kubelet",
            where="/etc/kubernetes/kubelet/config.json",
            arguments=f"{_KUBECONFIG} --config=/etc/kubernetes/kubelet/config.json"
            " --config-dir=/etc/kubernetes/kubelet/config.json.d",
        ),
        DefaultCommand(
            component="kubelet",
            where="/etc/kubernetes/kubelet/kubelet-config.json",
            arguments=f"{_KUBECONFIG} --config=/etc/kubernetes/kubelet/kubelet-config.json",
        ),
    ),
    conventions=pair(
        "aws_signing_helper",
        Role.OTHER,
        "/etc/iam/pki/server.pem",
        "/etc/iam/pki/server.key",
        needs="kubelet",
        where="/etc/iam/pki",
    ),
    roles={"/etc/kubernetes/pki/ca.crt": Role.CA},
)

BOTTLEROCKET: Final = Layout(
    distribution=Distribution.BOTTLEROCKET,
    marks=("/etc/kubernetes/kubelet/kubeconfig", "/etc/bottlerocket-release"),
    directories=_DIRECTORIES,
    searches=("/etc/kubernetes/pki/**", "/var/lib/kubelet/pki/*"),
    enabled=("kubelet",),
    unit="kubelet.service",
    manifests="/etc/kubernetes/static-pods",
    commands=(
        DefaultCommand(
            component="kubelet",
            arguments="--kubeconfig=/etc/kubernetes/kubelet/kubeconfig"
            " --config=/etc/kubernetes/kubelet/config",
        ),
    ),
    roles={"/etc/kubernetes/pki/ca.crt": Role.CA},
)

AKS: Final = Layout(
    distribution=Distribution.AKS,
    marks=("/etc/kubernetes/certs/apiserver.crt",),
    hints=("/etc/kubernetes/azure.json",),
    directories=_DIRECTORIES,
    searches=("/etc/kubernetes/certs/*", "/var/lib/kubelet/pki/*"),
    enabled=("kubelet",),
    unit="kubelet.service",
    commands=(
        DefaultCommand(
            component="kubelet",
            arguments=f"{_KUBECONFIG} --bootstrap-kubeconfig=/var/lib/kubelet/bootstrap-kubeconfig"
            " --client-ca-file=/etc/kubernetes/certs/ca.crt --rotate-certificates=true",
        ),
        DefaultCommand(
            component="kubelet",
            where="/etc/kubernetes/certs/kubeletserver.crt",
            arguments="--tls-cert-file=/etc/kubernetes/certs/kubeletserver.crt"
            " --tls-private-key-file=/etc/kubernetes/certs/kubeletserver.key",
        ),
    ),
    roles={
        "/etc/kubernetes/certs/ca.crt": Role.CA,
        "/etc/kubernetes/certs/client.crt": Role.KUBELET_CLIENT,
        "/etc/kubernetes/certs/kubeletserver.crt": Role.KUBELET_SERVER,
    },
)

GKE: Final = Layout(
    distribution=Distribution.GKE,
    marks=("/home/kubernetes/kubelet-config.yaml", "/etc/srv/kubernetes/pki/ca-certificates.crt"),
    directories=("/etc/srv/kubernetes/pki", *_DIRECTORIES),
    searches=("/etc/srv/kubernetes/pki/**", "/var/lib/kubelet/pki/*"),
    enabled=("kubelet",),
    unit="kubelet.service",
    manifests="/etc/kubernetes/manifests",
    commands=(
        DefaultCommand(
            component="kubelet",
            arguments=f"{_KUBECONFIG} --bootstrap-kubeconfig=/var/lib/kubelet/bootstrap-kubeconfig"
            " --config=/home/kubernetes/kubelet-config.yaml --cert-dir=/var/lib/kubelet/pki"
            " --client-ca-file=/etc/srv/kubernetes/pki/ca-certificates.crt --rotate-certificates=true",
        ),
    ),
    roles={"/etc/srv/kubernetes/pki/ca-certificates.crt": Role.CA},
)

UNKNOWN: Final = Layout(
    distribution=Distribution.UNKNOWN,
    directories=_DIRECTORIES,
    searches=("/etc/kubernetes/pki/**", "/etc/kubernetes/*", "/var/lib/kubelet/pki/*"),
    unit="kubelet.service",
    manifests="/etc/kubernetes/manifests",
)
