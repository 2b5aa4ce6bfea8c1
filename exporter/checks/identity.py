"""Who a client certificate is to RBAC: its user is the CN, its groups are every O (x509.go)."""

from collections.abc import Iterator
from typing import Final

from exporter.checks.check import Objection, check
from exporter.checks.design import design_of, is_among
from exporter.inventory.identity import Identity, Privilege, client_authorities, identities_under
from exporter.model import Inventory, Occurrence, Severity, State

MASTERS: Final = "system:masters"


def _clients(inventory: Inventory) -> Iterator[tuple[Occurrence, Identity]]:
    """Each certificate that the API server would take for a client's, with who that is."""
    authorities = client_authorities(inventory)
    for occurrence in inventory.occurrences:
        if (found := next(identities_under(occurrence, authorities), None)) is not None:
            yield occurrence, found


@check(severity=Severity.WARNING, cites="kubernetes pkg/kubeapiserver/authorizer/reload.go; CIS 1.12, 5.1.7")
def group_masters_held(inventory: Inventory) -> Iterator[Objection]:
    """A certificate outside the places meant for it has rights that no RBAC rule can take away."""
    by_design = design_of(inventory.node.distribution).masters
    for occurrence, identity in _clients(inventory):
        is_known = occurrence.state is State.SUPERSEDED or is_among(occurrence.place.path, by_design)
        if identity.privilege is Privilege.MASTERS and not is_known:
            yield Objection.to(occurrence, f"user {identity.user!r} is in the group {MASTERS}")


@check(severity=Severity.INFO, cites="kubernetes apiserver/pkg/authentication/request/x509/x509.go")
def group_as_user(inventory: Inventory) -> Iterator[Objection]:
    """The certificate's CN is the name of a group, which gives a user without rights."""
    for occurrence, identity in _clients(inventory):
        if identity.user == MASTERS and occurrence.state is State.IN_USE:
            yield Objection.to(occurrence, f"groups come from O: the user {MASTERS!r} has no rights")
