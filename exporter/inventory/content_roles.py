"""The role that a certificate's own words suggest, for files that nothing names."""

import re
from collections.abc import Callable
from dataclasses import dataclass

from exporter.model import Certificate, Role


@dataclass(frozen=True, slots=True)
class _Row:
    """A subject as kubeadm, k3s, k0s, MicroK8s or the kubelet write it."""

    common_name: re.Pattern[str]
    usage: str
    role: Role
    organization: str = ""

    def fits(self, certificate: Certificate) -> bool:
        usages = certificate.extended_key_usage
        return (
            self.common_name.fullmatch(certificate.subject_cn) is not None
            and (usages is None or not self.usage or self.usage in usages)
            and (not self.organization or self.organization in certificate.organizations)
        )


def _row(common_name: str, usage: str, role: Role, organization: str = "") -> _Row:
    return _Row(re.compile(common_name), usage, role, organization)


class _Table:
    """Rows, of which the first that fits counts."""

    def __init__(self, *rows: _Row) -> None:
        self._rows = rows
        # Most certificates that nothing names have no such subject at all: one match instead of one a row.
        self._common_name = re.compile("|".join(f"(?:{row.common_name.pattern})" for row in rows))

    def role_of(self, certificate: Certificate) -> Role | None:
        if self._common_name.fullmatch(certificate.subject_cn) is None:
            return None
        return next((row.role for row in self._rows if row.fits(certificate)), None)


_AUTHORITIES = _Table(
    _row(r"apiserver-loopback-client-ca@\d+", "", Role.OTHER),
    _row(r"kubernetes|kubernetes-ca|minikubeCA", "", Role.CA),
    _row(r"etcd-ca", "", Role.ETCD_CA),
    _row(r"(kubernetes-)?front-proxy-ca", "", Role.FRONT_PROXY_CA),
    _row(r"(k3s|rke2)-client-ca@\d+", "", Role.CLIENT_CA),
    _row(r"(k3s|rke2)-server-ca@\d+", "", Role.SERVER_CA),
    _row(r"(k3s|rke2)-request-header-ca@\d+", "", Role.FRONT_PROXY_CA),
    _row(r"((k3s|rke2)-)?etcd-server-ca@\d+", "", Role.ETCD_CA),
    _row(r"((k3s|rke2)-)?etcd-peer-ca@\d+", "", Role.ETCD_PEER_CA),
    _row(r".+-ca@\d+", "", Role.KUBELET_SERVER_SELF_SIGNED),
)
"""In order; the kubelet's own CA is ``HOST-ca@UNIX`` (client-go ``util/cert/cert.go``)."""

_LEAVES = _Table(
    _row(r"apiserver-loopback-client@\d+", "", Role.OTHER),
    _row(r"system:node:.+", "clientAuth", Role.KUBELET_CLIENT, "system:nodes"),
    _row(r"system:node:.+", "serverAuth", Role.KUBELET_SERVER, "system:nodes"),
    _row(r"kube-apiserver", "serverAuth", Role.APISERVER),
    _row(r"(kube-)?apiserver-kubelet-client", "clientAuth", Role.APISERVER_KUBELET_CLIENT),
    _row(r"(kube-)?apiserver-etcd-client", "clientAuth", Role.APISERVER_ETCD_CLIENT),
    _row(r"kube-etcd-healthcheck-client", "clientAuth", Role.ETCD_HEALTHCHECK_CLIENT),
    _row(r"front-proxy-client|system:auth-proxy", "clientAuth", Role.FRONT_PROXY_CLIENT),
    _row(r"kubernetes-super-admin", "clientAuth", Role.SUPER_ADMIN),
    _row(r"kubernetes-admin|admin|system:admin", "clientAuth", Role.ADMIN),
    _row(r"system:kube-controller-manager", "clientAuth", Role.CONTROLLER_MANAGER),
    _row(r"system:kube-scheduler", "clientAuth", Role.SCHEDULER),
    _row(r"system:kube-proxy", "clientAuth", Role.KUBE_PROXY_CLIENT),
    _row(r"system:(k3s|rke2)-controller", "clientAuth", Role.K3S_CONTROLLER_CLIENT),
    _row(r"system:(k3s|rke2)-supervisor", "clientAuth", Role.SUPERVISOR_CLIENT),
    _row(r"kubernetes-konnectivity", "clientAuth", Role.KONNECTIVITY_CLIENT),
)


_BOTH = frozenset({"serverAuth", "clientAuth"})


def role_by_content(certificate: Certificate) -> Role:
    """Guess from subject and extended key usage; ``other`` where nothing fits."""
    table = _AUTHORITIES if certificate.is_ca else _LEAVES
    if (role := table.role_of(certificate)) is not None:
        return role
    return next((role for fits, role in _BY_ISSUER if fits(certificate)), Role.OTHER)


def is_self_made_by_kubelet(certificate: Certificate) -> bool:
    """A block of the pair ``HOST@UNIX`` under ``HOST-ca@UNIX``; the two moments may differ by a few seconds.

    Old kubelets made one block that signs itself (client-go ``util/cert/cert.go``).
    """
    host, _, written = certificate.subject_cn.rpartition("@")
    above, _, before = certificate.issuer_cn.rpartition("@")
    is_named_so = bool(host) and written.isdigit() and before.isdigit()
    return is_named_so and (above == f"{host}-ca" or certificate.is_self_signed)


def _is_etcd_member(certificate: Certificate) -> bool:
    """Server and peer certificates of a member cannot be told apart by their content."""
    return certificate.issuer_cn == "etcd-ca" and certificate.extended_key_usage == _BOTH


_BY_ISSUER: tuple[tuple[Callable[[Certificate], bool], Role], ...] = (
    (is_self_made_by_kubelet, Role.KUBELET_SERVER_SELF_SIGNED),
    (_is_etcd_member, Role.ETCD_SERVER),
)
