"""Whether a certificate fits the role that it is used in."""

import re
from collections.abc import Iterable, Mapping
from ipaddress import ip_address
from posixpath import basename
from typing import Final

from exporter.checks.check import certificate_check
from exporter.checks.trust import API_CLIENTS, is_for_other_names
from exporter.inventory.roles import AUTHORITIES, SERVERS
from exporter.model import Certificate, Inventory, Node, Occurrence, Part, Role, Severity

_BOTH_WAYS: Final = frozenset({Role.ETCD_PEER})
_CLIENTS: Final = frozenset(
    {
        Role.APISERVER_KUBELET_CLIENT,
        Role.APISERVER_ETCD_CLIENT,
        Role.FRONT_PROXY_CLIENT,
        Role.ETCD_HEALTHCHECK_CLIENT,
        *API_CLIENTS,
    }
)
_OF_KUBELETS: Final = frozenset({Role.KUBELET_SERVER, Role.KUBELET_SERVER_SELF_SIGNED})
_OF_ETCD: Final = frozenset({Role.ETCD_SERVER, Role.ETCD_PEER})
_ANY = "anyExtendedKeyUsage"
_IDENTITIES: Final = frozenset({Part.CERTIFICATE, Part.KUBECONFIG})

_USERS: Final[Mapping[Role, tuple[str, str]]] = {
    Role.KUBELET_CLIENT: (r"system:node:.+", "system:nodes"),
    Role.CONTROLLER_MANAGER: (r"system:kube-controller-manager", ""),
    Role.SCHEDULER: (r"system:kube-scheduler", ""),
    Role.KUBE_PROXY_CLIENT: (r"system:kube-proxy", ""),
}
"""Role to the user and the group that RBAC has to see (``rbac/bootstrappolicy/policy.go``)."""

_REQUESTED = "kubelet-server-current.pem"
"""A serving certificate that the kubelet asked for has the kubelet's user name (``kubelet.go``)."""


def required_usages(role: Role) -> tuple[str, ...]:
    """The extended key usages that a verifier of that role asks for."""
    if role in _BOTH_WAYS:
        return ("serverAuth", "clientAuth")
    if role in SERVERS:
        return ("serverAuth",)
    return ("clientAuth",) if role in _CLIENTS else ()


@certificate_check(severity=Severity.CRITICAL, cites="RFC 5280, 4.2.1.3 and 4.2.1.12; Go crypto/x509 Verify")
def usage_unfit(occurrence: Occurrence, inventory: Inventory) -> str | None:  # noqa: ARG001
    """The certificate's key usages, where it has any, leave out what its role needs."""
    certificate = occurrence.certificate
    if certificate.is_ca:
        lacks_signing = certificate.key_usage is not None and "keyCertSign" not in certificate.key_usage
        return "a CA whose key usage lacks keyCertSign" if lacks_signing else None
    usages = certificate.extended_key_usage
    if usages is None or _ANY in usages:
        return None
    lacking = [usage for usage in required_usages(occurrence.role) if usage not in usages]
    return f"its extended key usage lacks {' and '.join(lacking)}" if lacking else None


@certificate_check(severity=Severity.CRITICAL, cites="RFC 5280, 4.2.1.9")
def ca_flag_unfit(occurrence: Occurrence, inventory: Inventory) -> str | None:
    """A CA's file holds a certificate that is no CA, or a leaf's file begins with a CA."""
    if occurrence.certificate.is_ca and _is_for_a_leaf(occurrence, inventory):
        return (
            None
            if _is_self_made(occurrence, inventory)
            else "a CA stands where the certificate of a leaf belongs"
        )
    if occurrence.role in AUTHORITIES and not occurrence.certificate.is_ca:
        return "used as a CA, but its basic constraints say it is none"
    return None


def _is_for_a_leaf(occurrence: Occurrence, inventory: Inventory) -> bool:
    """Told by what names the file, since a CA known elsewhere keeps that role wherever it stands."""
    place = occurrence.place
    if place.index or place.entry.startswith("cluster/"):
        return False
    named = {reference.role for reference in inventory.uses_of(place.path) if reference.part in _IDENTITIES}
    return bool(required_usages(occurrence.role)) or (
        not named & AUTHORITIES and any(required_usages(role) for role in named)
    )


def _is_self_made(occurrence: Occurrence, inventory: Inventory) -> bool:
    """Nobody verifies it: etcd's ``auto-tls``, and AKS's kubelets, whose openssl makes CAs by default."""
    if occurrence.role is Role.KUBELET_SERVER:
        return occurrence.certificate.is_self_signed
    return bool(inventory.node.etcd_auto_tls) and occurrence.role in _OF_ETCD


@certificate_check(severity=Severity.WARNING, cites="RFC 6125, 6.4; kubernetes/kubeadm#1447", waits=True)
def name_uncovered(occurrence: Occurrence, inventory: Inventory) -> str | None:
    """The certificate lacks a name or address under which it is reached."""
    if occurrence.place.index or occurrence.certificate.is_ca:
        return None
    if not (needed := _needed_names(occurrence, inventory)):
        return None
    missing = uncovered(occurrence.certificate, needed)
    if occurrence.role in _OF_KUBELETS:
        missing = [name for name in missing if not _is_covered_in_full(name, occurrence.certificate)]
    return f"does not cover {', '.join(missing)}" if missing else None


def _needed_names(occurrence: Occurrence, inventory: Inventory) -> tuple[str, ...]:
    node = inventory.node
    match occurrence.role:
        case Role.APISERVER:
            is_for_others = is_for_other_names(occurrence.place.path, inventory)
            return () if is_for_others else node.api_names
        case Role.ETCD_SERVER:
            return node.etcd_names
        case Role.ETCD_PEER:
            return node.etcd_peer_names
        case Role.KUBELET_SERVER:
            names = () if _is_of_another_name(occurrence, node) else (node.name,)
            return (*filter(None, names), *node.addresses)
        case Role.KUBELET_SERVER_SELF_SIGNED:
            return (node.name,) if node.name else ()
        case _:
            return ()


def _is_of_another_name(occurrence: Occurrence, node: Node) -> bool:
    """A kubelet asks for its Node's addresses, and a cloud may name the Node by none of them."""
    is_requested = basename(occurrence.place.path) == _REQUESTED
    return is_requested and not _is_same_host(node.name, node.host_name)


def uncovered(certificate: Certificate, names: Iterable[str]) -> list[str]:
    """The names that no subject alternative name matches as Go's ``VerifyHostname`` would."""
    hosts = {san.value.rstrip(".").lower() for san in certificate.sans if san.type == "dns"}
    addresses = {san.value for san in certificate.sans if san.type == "ip"}
    return [name for name in names if not _is_among(name, hosts, addresses)]


def _is_among(name: str, hosts: set[str], addresses: set[str]) -> bool:
    try:
        return str(ip_address(name.strip("[]"))) in addresses
    except ValueError:
        host = name.rstrip(".").lower()
        return host in hosts or f"*.{host.partition('.')[2]}" in hosts


def _is_covered_in_full(name: str, certificate: Certificate) -> bool:
    return any(_is_same_host(name, san.value.lower()) for san in certificate.sans if san.type == "dns")


def _is_same_host(name: str, other: str) -> bool:
    """One name is the other without its domain, which a host may leave out where its kubelet does not."""
    return name == other or name.partition(".")[0] == other or name == other.partition(".")[0]


@certificate_check(
    severity=Severity.CRITICAL, cites="kubernetes rbac/bootstrappolicy/policy.go; nodeidentifier"
)
def subject_unfit(occurrence: Occurrence, inventory: Inventory) -> str | None:  # noqa: ARG001
    """The certificate's CN or O is not the user or group that its role has in RBAC."""
    certificate = occurrence.certificate
    if certificate.is_ca:
        return None
    role = occurrence.role
    if role is Role.KUBELET_SERVER and basename(occurrence.place.path) == _REQUESTED:
        role = Role.KUBELET_CLIENT
    user, group = _USERS.get(role, ("", ""))
    if user and re.fullmatch(user, certificate.subject_cn) is None:
        return f"its user is {certificate.subject_cn!r}, where {user.replace('.+', 'NODE')!r} is needed"
    if group and group not in certificate.organizations:
        return f"its groups lack {group!r}"
    return None


@certificate_check(severity=Severity.CRITICAL, cites="kubernetes plugin/pkg/auth/authorizer/node", waits=True)
def node_name_mismatched(occurrence: Occurrence, inventory: Inventory) -> str | None:
    """The kubelet's certificate is another node's."""
    certificate, node = occurrence.certificate, inventory.node
    is_requested = basename(occurrence.place.path) == _REQUESTED
    if occurrence.role is not Role.KUBELET_CLIENT and not is_requested:
        return None
    named = certificate.subject_cn.removeprefix("system:node:")
    if not node.name or certificate.is_ca or named == certificate.subject_cn:
        return None
    if _is_same_host(node.name, named):
        return None
    return f"made out to node {named!r}, while this node is {node.name!r}"
