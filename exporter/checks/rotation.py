"""Whether the kubelet renews its certificates, and whether kubeconfigs follow the CA."""

from collections.abc import Iterator
from datetime import datetime
from posixpath import basename, dirname
from typing import Final
from urllib.parse import urlsplit

from exporter.checks.check import Objection, check, file_check
from exporter.checks.purpose import uncovered
from exporter.checks.trust import Client, clients, is_for_other_names, is_trusted
from exporter.model import (
    File,
    Inventory,
    KubeletPair,
    Occurrence,
    Part,
    Place,
    Role,
    Severity,
    State,
)

NAMED: Final = "and a kubeconfig verifies the API server by this file"
"""How a detail ends where not the kubeconfig but the file that it names is to be repaired."""
_CURRENT: Final = ("kubelet-client-current.pem", "kubelet-server-current.pem")
_SERVING_CAS: Final = frozenset({Role.CA, Role.SERVER_CA})
_LOOPBACK: Final = frozenset({"localhost", "127.0.0.1", "::1"})


def _current(inventory: Inventory, name: str = _CURRENT[0]) -> tuple[str, tuple[Occurrence, ...]]:
    path = f"{inventory.node.kubelet.certificate_directory}/{name}"
    return path, inventory.at(path)


@check(
    severity=Severity.WARNING,
    cites="kubelet --rotate-certificates; CIS Kubernetes Benchmark 1.12, 4.2.10",
    waits=True,
)
def kubelet_rotation_disabled(inventory: Inventory) -> Iterator[Objection]:
    """The kubelet's client certificate is in its own directory, and the kubelet does not renew it."""
    kubelet = inventory.node.kubelet
    if kubelet.rotate_certificates is not False:
        return
    for occurrence in inventory.with_role(Role.KUBELET_CLIENT):
        in_directory = dirname(occurrence.place.path) == kubelet.certificate_directory
        if in_directory and occurrence.state is State.IN_USE and not occurrence.place.index:
            yield Objection.to(occurrence, "rotateCertificates is off, so that it ends without a successor")


def _is_link_replaced(inventory: Inventory, name: str) -> bool:
    path, occurrences = _current(inventory, name)
    file = inventory.files.get(path)
    return bool(occurrences) and file is not None and file.status is not None and not file.status.is_link


@check(severity=Severity.WARNING, cites="client-go util/certificate/certificate_store.go", waits=True)
def kubelet_link_replaced(inventory: Inventory) -> Iterator[Objection]:
    """A file stands where the kubelet keeps a link, so that every rotation fails."""
    kubelet = inventory.node.kubelet
    rotates = (kubelet.rotate_certificates, kubelet.server_tls_bootstrap)
    for name, is_rotated in zip(_CURRENT, rotates, strict=True):
        if is_rotated is not False and _is_link_replaced(inventory, name):
            _, occurrences = _current(inventory, name)
            yield Objection.to(occurrences[0], "the kubelet refuses to replace a regular file by its link")


@check(severity=Severity.WARNING, cites="client-go util/certificate/certificate_store.go", waits=True)
def kubelet_newer_pair_unused(inventory: Inventory) -> Iterator[Objection]:
    """A pair newer than the one in use lies beside it, so that the last rotation was not completed."""
    for name in _CURRENT:
        link, occurrences = _current(inventory, name)
        if not occurrences or _is_link_replaced(inventory, name):
            continue
        newer = [
            basename(path)
            for path, written in _unused_pairs(inventory, link)
            if written > occurrences[0].certificate.not_before
        ]
        if newer:
            yield Objection.to(occurrences[0], f"{max(newer)} is newer and not in use")


def _unused_pairs(inventory: Inventory, link: str) -> Iterator[tuple[str, datetime]]:
    """Each dated pair beside a link and the start of its life, also of those that are not exported."""
    prefix = link.removesuffix("current.pem")
    for path, file in inventory.files.items():
        is_pair = path.startswith(prefix) and KubeletPair.of(basename(path)) is not None
        if is_pair and file.content.certificates and not inventory.uses_of(path):
            yield path, file.content.certificates[0].certificate.not_before


@check(severity=Severity.WARNING, cites="kubernetes/kubeadm#1753; kubernetes/kubernetes#99645", waits=True)
def kubelet_kubeconfig_embedded(inventory: Inventory) -> Iterator[Objection]:
    """The kubelet's kubeconfig holds or names a certificate of its own instead of the one that rotates."""
    path = inventory.node.kubelet.kubeconfig
    link, current = _current(inventory)
    file = inventory.files.get(path)
    if not current or file is None or file.content.kubeconfig is None:
        return
    for user in file.content.kubeconfig.users:
        named = user.client_certificate
        is_dated = named.startswith(f"{dirname(link)}/") and named != link
        if user.has_certificate_data or is_dated:
            held = "holds" if user.has_certificate_data else f"names {named} as"
            yield Objection(
                place=Place(path, f"user/{user.name}"),
                role=Role.KUBELET_CLIENT,
                state=State.IN_USE,
                detail=f"{held} its certificate, which a rotation leaves as it is",
            )


@check(severity=Severity.CRITICAL, cites="kubernetes/kubeadm#2027; kubernetes/kubernetes#102283", waits=True)
def kubeconfig_ca_stale(inventory: Inventory) -> Iterator[Objection]:
    """A kubeconfig does not trust the CA that signs the API server's certificate now."""
    shown = [found for found in inventory.with_role(Role.APISERVER) if _is_shown(found)]
    for server in [found for found in shown if _is_for_all(found, inventory)][:1]:
        for client in clients(inventory):
            by_name = (found for found in shown if not uncovered(found.certificate, (client.server,)))
            if not any(_is_accepted(found, client, inventory) for found in (server, *by_name)):
                yield Objection(
                    place=client.place,
                    role=_role_at(inventory, client.place),
                    state=State.IN_USE,
                    detail=_untrusted(client, server.place.path),
                )


def _untrusted(client: Client, server: str) -> str:
    count = len(client.trusted)
    if client.place.entry:
        return f"trusts {count} CA(s), none of which signed {server}"
    return f"holds {count} CA(s), none of which signed {server}, {NAMED}"


def _is_shown(found: Occurrence) -> bool:
    return found.state is State.IN_USE and not found.place.index


def _is_for_all(found: Occurrence, inventory: Inventory) -> bool:
    """What every client meets that asks for no name of its own, unless it is itself what is wrong."""
    is_in_order = any(authority.role in _SERVING_CAS for authority in found.issuers)
    return is_in_order and not is_for_other_names(found.place.path, inventory)


def _is_accepted(found: Occurrence, client: Client, inventory: Inventory) -> bool:
    chain = (other.certificate for other in inventory.at(found.place.path))
    return is_trusted(found.certificate, chain, client.trusted)


def _role_at(inventory: Inventory, place: Place) -> Role:
    return next((reference.role for reference in inventory.references_to(place.path)), Role.KUBECONFIG_USER)


@file_check(severity=Severity.WARNING, cites="client-go tools/clientcmd/api/types.go")
def kubeconfig_insecure(file: File, inventory: Inventory) -> Iterator[Objection]:
    """A kubeconfig in use does not verify the server it talks to."""
    kubeconfig = file.content.kubeconfig
    references = [use for use in inventory.uses_of(file.path) if use.part is Part.KUBECONFIG]
    if kubeconfig is None or not references:
        return
    used = {context.cluster for context in kubeconfig.contexts}
    for cluster in kubeconfig.clusters:
        if cluster.name in used and (
            trouble := _insecurity(cluster.server, cluster.insecure_skip_tls_verify)
        ):
            yield Objection(
                place=Place(file.path, f"cluster/{cluster.name}"),
                role=references[0].role,
                state=State.IN_USE,
                detail=trouble,
            )


def _insecurity(server: str, skips_verification: bool) -> str:
    if skips_verification:
        return "insecure-skip-tls-verify is on"
    try:
        parts = urlsplit(server)
        is_plain = parts.scheme == "http" and parts.hostname not in _LOOPBACK
    except ValueError:
        return ""
    return f"the server {server!r} is reached without TLS" if is_plain else ""


@check(severity=Severity.CRITICAL, cites="kubernetes pkg/controller/certificates/signer/ca_provider.go")
def signer_bundle_ambiguous(inventory: Inventory) -> Iterator[Objection]:
    """The file of the signing CA holds several certificates, so that no CSR is signed."""
    for path in dict.fromkeys(
        reference.path
        for reference in inventory.references
        if reference.setting.startswith("cluster-signing-") and reference.part is Part.CERTIFICATE
    ):
        count = len(inventory.files[path].content.certificates) if path in inventory.files else 0
        if count > 1:
            yield Objection(
                place=Place(path),
                role=Role.CA,
                state=State.IN_USE,
                detail=f"holds {count} certificates; kube-controller-manager signs with exactly one",
            )
