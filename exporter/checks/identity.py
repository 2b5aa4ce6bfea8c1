"""Who a client certificate is to RBAC: its user is the CN, its groups are every O (x509.go)."""

from collections.abc import Iterator
from typing import Final

from exporter.checks.check import Objection, check
from exporter.checks.design import design_of, is_among
from exporter.model import Inventory, Occurrence, Role, Severity, State

MASTERS: Final = "system:masters"
_NOT_RBAC: Final = frozenset({Role.ETCD_CA, Role.ETCD_PEER_CA, Role.FRONT_PROXY_CA})


def _is_client(occurrence: Occurrence) -> bool:
    """The API server would take it for a client's: no CA, usable as client, not of another CA."""
    certificate = occurrence.certificate
    usages = certificate.extended_key_usage
    if certificate.is_ca or (usages is not None and not usages & {"clientAuth", "anyExtendedKeyUsage"}):
        return False
    return not occurrence.issuers or any(issuer.role not in _NOT_RBAC for issuer in occurrence.issuers)


@check(severity=Severity.WARNING, cites="kubernetes pkg/kubeapiserver/authorizer/reload.go; CIS 1.12, 5.1.7")
def group_masters_held(inventory: Inventory) -> Iterator[Objection]:
    """A certificate outside the places meant for it has rights that no RBAC rule can take away."""
    by_design = design_of(inventory.node.distribution).masters
    for occurrence in inventory.occurrences:
        if occurrence.state is State.SUPERSEDED or is_among(occurrence.place.path, by_design):
            continue
        if _is_client(occurrence) and MASTERS in occurrence.certificate.organizations:
            yield Objection.to(
                occurrence, f"user {occurrence.certificate.subject_cn!r} is in the group {MASTERS}"
            )


@check(severity=Severity.INFO, cites="kubernetes apiserver/pkg/authentication/request/x509/x509.go")
def group_as_user(inventory: Inventory) -> Iterator[Objection]:
    """The certificate's CN is the name of a group, which gives a user without rights."""
    for occurrence in inventory.occurrences:
        is_group = occurrence.certificate.subject_cn == MASTERS
        if is_group and occurrence.state is State.IN_USE and _is_client(occurrence):
            yield Objection.to(occurrence, f"groups come from O: the user {MASTERS!r} has no rights")
