"""Whether who reaches etcd has to prove who they are; etcd has no other protection (KUBERNETES_PKI 3)."""

from collections.abc import Callable, Iterator
from ipaddress import ip_address
from typing import Final
from urllib.parse import urlsplit

from exporter.checks.check import Objection, check
from exporter.checks.trust import API_CLIENT_CA, anchors_of, lowest
from exporter.model import Inventory, Listener, Place, Role, Severity, State

_EMBED = "etcd server/embed/etcd.go"
_TLS = "etcd client/pkg/transport/listener.go"
_CIS = "CIS Kubernetes Benchmark 1.12"
_TRUST: Final = frozenset({"trusted-ca-file", "peer-trusted-ca-file"})


@check(severity=Severity.CRITICAL, cites=f"{_TLS}; {_CIS}, 2.2", waits=True)
def etcd_client_auth_missing(inventory: Inventory) -> Iterator[Objection]:
    """Who reaches etcd's client address reads and writes the whole cluster without a certificate."""
    yield from _listeners(
        inventory, "client", lambda url: url.transport == "tls" and url.client_auth == "none"
    )


@check(severity=Severity.CRITICAL, cites=f"{_TLS}; {_CIS}, 2.5", waits=True)
def etcd_peer_auth_missing(inventory: Inventory) -> Iterator[Objection]:
    """Who reaches etcd's peer address can join the cluster as a member without a certificate."""
    yield from _listeners(inventory, "peer", lambda url: url.transport == "tls" and url.client_auth == "none")


@check(severity=Severity.CRITICAL, cites=f"{_EMBED}; {_CIS}, 2.1 and 2.4", waits=True)
def etcd_plaintext_listener(inventory: Inventory) -> Iterator[Objection]:
    """Etcd listens without TLS, and so without authentication."""
    for kind in ("client", "peer"):
        yield from _listeners(inventory, kind, _is_open)
    yield from _listeners(inventory, "metrics", lambda url: _is_open(url) and not _is_loopback(url.url))


@check(severity=Severity.CRITICAL, cites=f"{_CIS}, 2.7", waits=True)
def etcd_trusts_cluster_ca(inventory: Inventory) -> Iterator[Objection]:
    """Etcd trusts the cluster's CA, so that every kubelet is root of the datastore."""
    if not inventory.node.listeners:
        return
    clients = anchors_of(inventory, API_CLIENT_CA) or tuple(
        found.certificate
        for found in inventory.with_role(Role.CA, Role.CLIENT_CA)
        if found.state is State.IN_USE
    )
    cluster = {authority.spki_sha256 for authority in lowest(clients)}
    for anchor in inventory.trust_anchors:
        is_etcds = anchor.component == "etcd" and anchor.setting in _TRUST
        if is_etcds and anchor.certificate.spki_sha256 in cluster:
            yield Objection(
                place=Place(anchor.path),
                role=Role.ETCD_CA,
                state=State.IN_USE,
                detail=f"{anchor.certificate.subject!r} also signs the clients of the API server",
            )


@check(severity=Severity.WARNING, cites=f"{_CIS}, 2.3 and 2.6", waits=True)
def etcd_auto_tls(inventory: Inventory) -> Iterator[Objection]:
    """Etcd makes its own certificates, which nobody can verify."""
    for setting in inventory.node.etcd_auto_tls:
        yield _objection(inventory, setting, f"--{setting} is on")


def _listeners(inventory: Inventory, kind: str, is_bad: Callable[[Listener], bool]) -> Iterator[Objection]:
    for listener in inventory.node.listeners:
        if listener.listener == kind and is_bad(listener):
            yield _objection(inventory, listener.url, f"{kind} address {listener.url} ({listener.origin})")


def _objection(inventory: Inventory, entry: str, detail: str) -> Objection:
    return Objection(
        place=Place(inventory.node.etcd_path, entry), role=Role.ETCD_SERVER, state=State.IN_USE, detail=detail
    )


def _is_open(listener: Listener) -> bool:
    return listener.transport == "plaintext" and not listener.url.startswith("unix")


def _is_loopback(url: str) -> bool:
    try:
        host = urlsplit(url).hostname or ""
        return host == "localhost" or ip_address(host).is_loopback
    except ValueError:
        return False
