"""Which role a certificate has: from what names it, from what equals it, at last from what it says."""

from collections.abc import Iterable
from posixpath import basename

from exporter.inventory.content_roles import is_self_made_by_kubelet, role_by_content
from exporter.inventory.places import Placed, PlacedFile
from exporter.model import Certificate, Discovery, Embedded, Fingerprint, Origin, Part, Role, State

AUTHORITIES = frozenset(
    {Role.CA, Role.ETCD_CA, Role.FRONT_PROXY_CA, Role.CLIENT_CA, Role.SERVER_CA, Role.ETCD_PEER_CA}
)
SERVERS = frozenset(
    {
        Role.APISERVER,
        Role.ETCD_SERVER,
        Role.ETCD_PEER,
        Role.KUBELET_SERVER,
        Role.KUBELET_SERVER_SELF_SIGNED,
        Role.CONTROLLER_MANAGER_SERVER,
        Role.SCHEDULER_SERVER,
        Role.SUPERVISOR_SERVER,
        Role.DATASTORE_SERVER,
    }
)
KUBECONFIG_USERS = frozenset(
    {Role.ADMIN, Role.SUPER_ADMIN, Role.CONTROLLER_MANAGER, Role.SCHEDULER, Role.KUBECONFIG_USER}
)


class Roles:
    """The roles that references give, and those that follow from equality with a certificate known by one."""

    def __init__(self, placed: Placed, discovery: Discovery) -> None:
        self._operators = {
            reference.path: reference.role
            for reference in discovery.references
            if reference.origin is Origin.OPERATOR and reference.role is not Role.OTHER
        }
        self._known = _known_roles(placed.files)

    def role_of(self, file: PlacedFile, item: Embedded) -> Role:
        """The role of one certificate in one file (CHECKS: references, then equality, then content)."""
        certificate = item.certificate
        if file.path in self._operators:
            return self._operators[file.path]
        named = _named_role(file, item)
        if certificate.is_ca:
            return self._authority_role(file, certificate, named)
        if named is not None:
            return named
        return self._known.get(certificate.fingerprint) or self._content_role(file, item)

    def role_of_file(self, file: PlacedFile) -> Role:
        """What a file that could not be read is for."""
        return self._operators.get(file.path) or _first(ref.role for ref in file.references) or Role.OTHER

    def _authority_role(self, file: PlacedFile, certificate: Certificate, named: Role | None) -> Role:
        """A copy of a known CA has its role anywhere; a CA only in its leaf's file has the leaf's."""
        if named in AUTHORITIES:
            return named
        if (known := self._known.get(certificate.fingerprint)) is not None:
            return known
        if named is not None:
            return named
        first = file.content.certificates[0]
        if not first.certificate.is_ca and first.certificate.issuer_der == certificate.subject_der:
            return self.role_of(file, first)
        return role_by_content(certificate)

    def _content_role(self, file: PlacedFile, item: Embedded) -> Role:
        name = basename(file.path)
        if file.state is State.SUPERSEDED:
            return Role.KUBELET_SERVER if name.startswith("kubelet-server-") else Role.KUBELET_CLIENT
        role = role_by_content(item.certificate)
        if role is Role.OTHER and item.entry.startswith("user/"):
            return Role.KUBECONFIG_USER
        return role


def _known_roles(files: Iterable[PlacedFile]) -> dict[Fingerprint, Role]:
    """Map each certificate that a reference names to its role; CAs only by references to CA files."""
    known: dict[Fingerprint, Role] = {}
    for file in files:
        for item in file.content.certificates:
            role = _named_role(file, item)
            if role is not None and item.certificate.is_ca == (role in AUTHORITIES):
                known.setdefault(item.certificate.fingerprint, role)
    return known


def _named_role(file: PlacedFile, item: Embedded) -> Role | None:
    """The first of serving, CA, component client, kubelet, kubeconfig among the references' roles."""
    if item.entry.startswith("cluster/"):
        return None
    roles = [
        _proven(reference.role, item.certificate)
        for reference in file.references
        if reference.part is not Part.PRIVATE_KEY and reference.role is not Role.OTHER
    ]
    return min(roles, key=_rank, default=None)


def _proven(role: Role, certificate: Certificate) -> Role:
    """What lies where a kubelet makes its own pair may be another's, which is judged as any other."""
    if role is Role.KUBELET_SERVER_SELF_SIGNED and not is_self_made_by_kubelet(certificate):
        return Role.KUBELET_SERVER
    return role


def _rank(role: Role) -> int:
    if role in SERVERS:
        return 0
    if role in AUTHORITIES:
        return 1
    if role is Role.KUBELET_CLIENT:
        return 3
    return 4 if role in KUBECONFIG_USERS else 2


def _first(roles: Iterable[Role]) -> Role | None:
    return next(iter(roles), None)
