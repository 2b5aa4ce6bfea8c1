"""Who a client certificate is to RBAC (``apiserver/pkg/authentication/request/x509``)."""

from collections.abc import Iterator
from collections.abc import Set as AbstractSet
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from exporter.model import Fingerprint, Inventory, Occurrence, Role, State


class Privilege(StrEnum):
    """How far an identity reaches, the farthest first."""

    MASTERS = "masters"
    """``system:masters``: allowed before RBAC is asked; nothing revokes it but a new CA."""
    CLUSTER_ADMIN = "cluster-admin"
    """Bound to cluster-admin by the distribution; revocable."""
    COMPONENT = "component"
    NODE = "node"
    OTHER = "other"


@dataclass(frozen=True, slots=True)
class Identity:
    """One user in one group; an empty group where there is none."""

    user: str
    group: str
    privilege: Privilege


MAX_GROUPS: Final = 64
"""Groups listed for one certificate; the privilege is judged from all."""

_CLIENT_USAGES: Final = frozenset({"clientAuth", "anyExtendedKeyUsage"})
_ADMIN_GROUPS: Final = frozenset({"kubeadm:cluster-admins", "system:cluster-admins"})
_COMPONENTS: Final = (
    "system:kube-",
    "system:apiserver",
    "system:k3s-",
    "system:rke2-",
    "system:konnectivity-",
    "system:cloud-controller-manager",
    "kube-apiserver-kubelet-client",
    "k3s-cloud-controller-manager",
    "rke2-cloud-controller-manager",
)
_CLIENT_CA_SETTINGS: Final = frozenset({"client-ca-file", "clientCAFile", "authentication.x509.clientCAFile"})
_CLIENT_CA_COMPONENTS: Final = frozenset({"kube-apiserver", "kubelet"})
_STRANGERS: Final = frozenset(
    {
        Role.APISERVER,
        Role.APISERVER_ETCD_CLIENT,
        Role.CONTROLLER_MANAGER_SERVER,
        Role.DATASTORE_SERVER,
        Role.ETCD_HEALTHCHECK_CLIENT,
        Role.ETCD_PEER,
        Role.ETCD_SERVER,
        Role.FRONT_PROXY_CLIENT,
        Role.KUBELET_SERVER,
        Role.KUBELET_SERVER_SELF_SIGNED,
        Role.SCHEDULER_SERVER,
        Role.SUPERVISOR_SERVER,
    }
)
"""Roles that present their certificate to others than the API server and the kubelet, or to nobody."""


def identities(occurrence: Occurrence, inventory: Inventory) -> tuple[Identity, ...]:
    """Who the holder of a certificate is to the API server; nobody where it is no client certificate."""
    return tuple(identities_under(occurrence, client_authorities(inventory)))


def client_authorities(inventory: Inventory) -> frozenset[Fingerprint] | None:
    """The CAs that the API server or the kubelet trusts for clients; None where none is known."""
    by_role = {
        occurrence.certificate.fingerprint
        for occurrence in inventory.with_role(Role.CA, Role.CLIENT_CA)
        if occurrence.certificate.is_ca and occurrence.state is State.IN_USE
    }
    by_setting = {
        anchor.certificate.fingerprint
        for anchor in inventory.trust_anchors
        if anchor.component in _CLIENT_CA_COMPONENTS and anchor.setting in _CLIENT_CA_SETTINGS
    }
    return frozenset(by_role | by_setting) or None


def identities_under(
    occurrence: Occurrence, authorities: AbstractSet[Fingerprint] | None
) -> Iterator[Identity]:
    """Yield the identities of a certificate where those CAs are trusted for clients.

    Which CA verifies it decides. Only where no such CA is known, its role does.
    """
    certificate = occurrence.certificate
    usages = certificate.extended_key_usage
    is_client = not certificate.is_ca and (usages is None or not usages.isdisjoint(_CLIENT_USAGES))
    if not is_client or not certificate.subject_cn:
        return
    if authorities is None:
        is_trusted = occurrence.role not in _STRANGERS
    else:
        is_trusted = any(issuer.fingerprint in authorities for issuer in occurrence.issuers)
    if is_trusted:
        user, groups = certificate.subject_cn, certificate.organizations
        privilege = privilege_of(user, groups)
        for group in groups[:MAX_GROUPS] or ("",):
            yield Identity(user, group, privilege)


def privilege_of(user: str, groups: tuple[str, ...]) -> Privilege:
    """How far a user in these groups reaches."""
    if "system:masters" in groups:
        return Privilege.MASTERS
    if not _ADMIN_GROUPS.isdisjoint(groups):
        return Privilege.CLUSTER_ADMIN
    if user.startswith(_COMPONENTS):
        return Privilege.COMPONENT
    if user.startswith("system:node:") and "system:nodes" in groups:
        return Privilege.NODE
    return Privilege.OTHER
