"""kubeadm and what is kubeadm underneath: minikube and kind.

kubeadm ``cmd/kubeadm/app/constants/constants.go``, ``phases/certs/certlist.go``, the packages' drop-in
``10-kubeadm.conf``; Kubespray ``roles/etcd``, which keeps certificates in other directories; minikube
``pkg/minikube/bootstrapper/certs.go``; kind ``pkg/cluster/internal/kubeadm``.
"""

from typing import Final

from exporter.discovery.distributions.layout import (
    Convention,
    DefaultCommand,
    Layout,
    authority_key,
    kubeconfig,
    pair,
)
from exporter.model import Distribution, Role

_KINDS = ("crt", "key", "pem", "conf")
"""What of an upgrade's backups holds certificates or keys; beside them lies a copy of etcd's data."""

_KUBELET = DefaultCommand(
    component="kubelet",
    arguments="--bootstrap-kubeconfig=/etc/kubernetes/bootstrap-kubelet.conf"
    " --kubeconfig=/etc/kubernetes/kubelet.conf --config=/var/lib/kubelet/config.yaml",
)


def _conventions(pki: str) -> tuple[Convention, ...]:
    return (
        kubeconfig("kubectl", Role.ADMIN, "/etc/kubernetes/admin.conf", needs="kube-apiserver"),
        kubeconfig("kubectl", Role.SUPER_ADMIN, "/etc/kubernetes/super-admin.conf", needs="kube-apiserver"),
        *pair(
            "kubeadm",
            Role.ETCD_HEALTHCHECK_CLIENT,
            f"{pki}/etcd/healthcheck-client.crt",
            f"{pki}/etcd/healthcheck-client.key",
            needs="etcd",
        ),
        authority_key("kubeadm", Role.CA, f"{pki}/ca.key", needs="kube-apiserver"),
        authority_key("kubeadm", Role.FRONT_PROXY_CA, f"{pki}/front-proxy-ca.key", needs="kube-apiserver"),
        authority_key("kubeadm", Role.ETCD_CA, f"{pki}/etcd/ca.key", needs="etcd"),
    )


def _layout(
    distribution: Distribution,
    *,
    pki: str,
    marks: tuple[str, ...],
    conventions: tuple[Convention, ...] = (),
    directories: tuple[str, ...] = (),
    kubeadm_configurations: tuple[str, ...] = (),
) -> Layout:
    return Layout(
        distribution=distribution,
        marks=marks,
        directories=("/etc/kubernetes", "/var/lib/kubelet/pki", "/etc/ssl/etcd", *directories),
        searches=(
            f"{pki}/**",
            "/etc/kubernetes/ssl/**",
            "/etc/ssl/etcd/**",
            "/etc/kubernetes/*",
            *(f"/etc/kubernetes/tmp/**/*.{kind}" for kind in _KINDS),
            "/var/lib/kubelet/pki/*",
        ),
        enabled=("kubelet",),
        unit="kubelet.service",
        manifests="/etc/kubernetes/manifests",
        environment_files=(
            "/var/lib/kubelet/kubeadm-flags.env",
            "/etc/default/kubelet",
            "/etc/sysconfig/kubelet",
        ),
        commands=(_KUBELET,),
        conventions=(*_conventions(pki), *conventions),
        roles={
            f"{pki}/ca.crt": Role.CA,
            f"{pki}/front-proxy-ca.crt": Role.FRONT_PROXY_CA,
            f"{pki}/etcd/ca.crt": Role.ETCD_CA,
        },
        users=("etcd", "kube", "kubeadm-etcd", "kubeadm-kas", "kubeadm-kcm", "kubeadm-ks"),
        groups=("kubeadm-sa-key-readers",),
        certificates=pki,
        kubeadm_configurations=kubeadm_configurations,
    )


KUBEADM: Final = _layout(
    Distribution.KUBEADM,
    pki="/etc/kubernetes/pki",
    marks=(
        "/var/lib/kubelet/kubeadm-flags.env",
        "/etc/kubernetes/kubelet.conf",
        "/etc/kubernetes/bootstrap-kubelet.conf",
        "/etc/kubernetes/admin.conf",
        "/etc/kubernetes/manifests/kube-apiserver.yaml",
    ),
)
MINIKUBE: Final = _layout(
    Distribution.MINIKUBE,
    pki="/var/lib/minikube/certs",
    marks=("/var/lib/minikube/certs",),
    conventions=(
        kubeconfig("kubectl", Role.KUBECONFIG_USER, "/var/lib/minikube/kubeconfig", needs="kube-apiserver"),
    ),
    directories=("/var/lib/minikube/certs",),
    kubeadm_configurations=("/var/tmp/minikube/kubeadm.yaml",),  # noqa: S108 - minikube's own place for it
)
KIND: Final = _layout(
    Distribution.KIND,
    pki="/etc/kubernetes/pki",
    marks=("/kind/kubeadm.conf", "/kind/version"),
    kubeadm_configurations=("/kind/kubeadm.conf",),
)
