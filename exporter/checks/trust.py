"""Who has to trust whom (KUBERNETES_PKI 7), as rows; the signature decides, never the name."""

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from posixpath import dirname, join, normpath
from typing import Final

from exporter.inventory.issuers import CANDIDATES
from exporter.model import Certificate, Cluster, Inventory, Kubeconfig, Origin, Part, Place, Role, State
from exporter.parsing.signature import verifies
from exporter.parsing.url import server_name

_LONGEST_CHAIN: Final = 8

API_CLIENTS: Final = (
    Role.ADMIN,
    Role.SUPER_ADMIN,
    Role.CONTROLLER_MANAGER,
    Role.SCHEDULER,
    Role.KUBELET_CLIENT,
    Role.KUBE_PROXY_CLIENT,
    Role.SUPERVISOR_CLIENT,
    Role.KONNECTIVITY_CLIENT,
    Role.CLOUD_CONTROLLER_CLIENT,
    Role.K3S_CONTROLLER_CLIENT,
)
"""Who shows a client certificate to the API server."""

_KUBELET_CLIENT_CA: Final = (("kubelet", "client-ca-file"), ("kubelet", "authentication.x509.clientCAFile"))
API_CLIENT_CA: Final = (("kube-apiserver", "client-ca-file"),)
KUBECONFIGS: Final = frozenset(
    {
        Role.ADMIN,
        Role.SUPER_ADMIN,
        Role.CONTROLLER_MANAGER,
        Role.SCHEDULER,
        Role.KUBELET_CLIENT,
        Role.KUBE_PROXY_CLIENT,
    }
)
"""Roles of the kubeconfigs that talk to this cluster's API server."""


def anchors_of(inventory: Inventory, settings: Iterable[tuple[str, str]]) -> tuple[Certificate, ...]:
    """The CAs that those settings of components trust."""
    wanted = frozenset(settings)
    return tuple(
        anchor.certificate
        for anchor in inventory.trust_anchors
        if (anchor.component, anchor.setting) in wanted and not anchor.entry
    )


def lowest(authorities: Iterable[Certificate]) -> tuple[Certificate, ...]:
    """Leave out the CAs above others of them, which k3s lays into each file of an operator's CAs."""
    known = tuple(dict.fromkeys(authorities))
    below: dict[bytes, list[Certificate]] = {}
    for found in known:
        if not found.is_self_signed:
            below.setdefault(found.issuer_der, []).append(found)
    return tuple(
        found
        for found in known
        if not any(verifies(found, other) for other in below.get(found.subject_der, ())[:CANDIDATES])
    )


@dataclass(frozen=True, slots=True)
class Client:
    """What a kubeconfig verifies the API server by."""

    place: Place
    """Where the CAs stand that it trusts: in itself, or in a file that others may name too."""
    server: str
    """The name or address that the server must prove; empty where none is known."""
    trusted: tuple[Certificate, ...]


def clients(inventory: Inventory) -> Iterator[Client]:
    """Yield the kubeconfigs of this cluster's components and administrators, those that trust some CA."""
    for path in dict.fromkeys(use.path for use in inventory.references if use.role in KUBECONFIGS):
        file = inventory.files.get(path)
        if file is None or file.content.kubeconfig is None:
            continue
        for cluster in _in_use(file.content.kubeconfig):
            place = _place_of_authority(path, cluster)
            if trusted := _trusted_at(place, inventory):
                yield Client(place, server_name(cluster), trusted)


def _place_of_authority(path: str, cluster: Cluster) -> Place:
    """In the kubeconfig itself, or at a path that starts at it (client-go ``tools/clientcmd``)."""
    if not cluster.certificate_authority:
        return Place(path, f"cluster/{cluster.name}")
    return Place(normpath(join(dirname(path), cluster.certificate_authority)))


def _trusted_at(place: Place, inventory: Inventory) -> tuple[Certificate, ...]:
    """What a kubeconfig trusts there; nothing where the path leads elsewhere in a container."""
    file = inventory.files.get(place.path)
    is_followed = place.entry or any(
        use.part is Part.TRUST and use.origin is Origin.KUBECONFIG
        for use in inventory.references_to(place.path)
    )
    if file is None or not is_followed:
        return ()
    return tuple(item.certificate for item in file.content.certificates if item.entry == place.entry)


def _in_use(kubeconfig: Kubeconfig) -> Iterator[Cluster]:
    """People keep several clusters in one kubeconfig; the current context tells the one of this node."""
    current = {
        context.cluster for context in kubeconfig.contexts if context.name == kubeconfig.current_context
    }
    return (cluster for cluster in kubeconfig.clusters if not current or cluster.name in current)


def is_for_other_names(path: str, inventory: Inventory) -> bool:
    """An API server shows it only to clients that ask for its names, which are those of people outside."""
    settings = {
        reference.setting for reference in inventory.uses_of(path) if reference.origin is not Origin.OPERATOR
    }
    return settings == {"tls-sni-cert-key"}


Trusted = Callable[[Inventory], tuple[Certificate, ...]]
"""The CAs that somebody trusts; empty where nothing here tells."""


def _by(*settings: tuple[str, str]) -> Trusted:
    """By settings of components, all of which count."""
    return lambda inventory: anchors_of(inventory, settings)


def _with(*roles: Role) -> Trusted:
    """By nobody's word: the CAs in use that have one of the roles."""

    def known(inventory: Inventory) -> tuple[Certificate, ...]:
        return tuple(
            found.certificate
            for found in inventory.with_role(*roles)
            if found.state is State.IN_USE
            and found.certificate.is_ca
            and not found.place.entry.startswith("cluster/")
        )

    return known


def _by_clients(inventory: Inventory) -> tuple[Certificate, ...]:
    return tuple(authority for client in clients(inventory) for authority in client.trusted)


def _by_a_worker(inventory: Inventory) -> tuple[Certificate, ...]:
    """Without an API server here, by all CAs it knows: its kubelet's clients may have one of their own."""
    by_kubelet = anchors_of(inventory, _KUBELET_CLIENT_CA)
    return by_kubelet and (*by_kubelet, *_by_clients(inventory))


PEERS: Final[Mapping[Role, tuple[Trusted, ...]]] = {
    **dict.fromkeys(API_CLIENTS, (_by(*API_CLIENT_CA), _by_a_worker, _with(Role.CA, Role.CLIENT_CA))),
    Role.APISERVER: (
        _by(("kube-controller-manager", "root-ca-file")),
        _by_clients,
        _with(Role.CA, Role.SERVER_CA),
    ),
    Role.SUPERVISOR_SERVER: (_with(Role.CA, Role.SERVER_CA),),
    Role.APISERVER_KUBELET_CLIENT: (_by(*_KUBELET_CLIENT_CA), _with(Role.CA, Role.CLIENT_CA)),
    **dict.fromkeys(
        (Role.KUBELET_SERVER, Role.KUBELET_SERVER_SELF_SIGNED),
        (_by(("kube-apiserver", "kubelet-certificate-authority")),),
    ),
    Role.FRONT_PROXY_CLIENT: (
        _by(("kube-apiserver", "requestheader-client-ca-file")),
        _with(Role.FRONT_PROXY_CA),
    ),
    Role.APISERVER_ETCD_CLIENT: (_by(("etcd", "trusted-ca-file")),),
    Role.ETCD_HEALTHCHECK_CLIENT: (_by(("etcd", "trusted-ca-file")),),
    Role.ETCD_SERVER: (_by(("kube-apiserver", "etcd-cafile")), _with(Role.ETCD_CA)),
    Role.ETCD_PEER: (_by(("etcd", "peer-trusted-ca-file")), _with(Role.ETCD_PEER_CA, Role.ETCD_CA)),
}
"""Who verifies a role: the first of whom anything is known here decides."""


def trusted_by_peers(role: Role, inventory: Inventory) -> tuple[Certificate, ...]:
    """The CAs of which one has to have signed a certificate of that role; empty where nobody verifies it."""
    return next(filter(None, (trusted(inventory) for trusted in PEERS.get(role, ()))), ())


def is_trusted(
    certificate: Certificate, chain: Iterable[Certificate], trusted: Iterable[Certificate]
) -> bool:
    """A path leads from the certificate over the CAs sent with it to one of the trusted."""
    anchors, between = tuple(trusted), tuple(found for found in chain if found.is_ca)
    reached, seen = [certificate], {certificate}
    for _ in range(_LONGEST_CHAIN):
        if any(below in anchors or _signers(below, anchors) for below in reached):
            return True
        above = dict.fromkeys(signer for below in reached for signer in _signers(below, between))
        reached = [signer for signer in above if signer not in seen]
        seen.update(reached)
    return False


def _signers(certificate: Certificate, authorities: Iterable[Certificate]) -> list[Certificate]:
    """Those that signed a certificate, likely ones first; more of one name than is sane are not tried."""
    candidates = sorted(
        (found for found in authorities if found.subject_der == certificate.issuer_der),
        key=lambda found: found.subject_key_identifier != certificate.authority_key_identifier,
    )
    return [found for found in candidates[:CANDIDATES] if verifies(found, certificate)]
