"""A kubeconfig as client-go reads it (``tools/clientcmd``): who is trusted and who one is."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Final, TypeGuard

from exporter.model import Cluster, Content, Context, Failure, Kubeconfig, Place, Reason, User
from exporter.parsing.embedded import joined, read_certificates, read_keys
from exporter.parsing.keys import are_usable
from exporter.parsing.text import printable

_CREDENTIALS: Final = ("token", "tokenFile", "exec", "auth-provider", "username")
_SECRETS: Final = ("token", "auth-provider", "password")


def is_kubeconfig(value: object) -> TypeGuard[dict[str, object]]:
    """The document is a kubeconfig, even one that does not say so."""
    if not isinstance(value, dict) or value.get("kind", "Config") != "Config":
        return False
    return "kind" in value or isinstance(value.get("clusters"), list) or isinstance(value.get("users"), list)


def parse_kubeconfig(path: str, value: Mapping[str, object], *, decode_keys: bool) -> Content:
    """Read every cluster, user and context; one that is broken does not hide the others.

    client-go refuses the whole file over a second item of one name: here the first counts and the second is
    a failure (``clientcmd/api/v1/conversion.go``).
    """
    clusters = _items(path, value, "cluster")
    users = _items(path, value, "user")
    contexts = _items(path, value, "context")
    found = joined(
        (
            *(_authority(path, name, cluster) for name, cluster in clusters.named.items()),
            *(_client(path, name, user, decode_keys=decode_keys) for name, user in users.named.items()),
            *(Content(failures=items.failures) for items in (clusters, users, contexts)),
        )
    )
    kubeconfig = Kubeconfig(
        clusters=tuple(_cluster(name, cluster) for name, cluster in clusters.named.items()),
        users=tuple(_user(name, user) for name, user in users.named.items()),
        contexts=tuple(
            Context(name=name, cluster=_text(context, "cluster"), user=_text(context, "user"))
            for name, context in contexts.named.items()
        ),
        current_context=_text(value, "current-context"),
    )
    return replace(found, kubeconfig=kubeconfig)


@dataclass(frozen=True, slots=True)
class _Items:
    """A named list of a kubeconfig."""

    named: Mapping[str, Mapping[str, object]]
    failures: tuple[Failure, ...]


def _items(path: str, value: Mapping[str, object], kind: str) -> _Items:
    named: dict[str, Mapping[str, object]] = {}
    failures: list[Failure] = []
    listed = value.get(f"{kind}s") or []
    for item in listed if isinstance(listed, list) else [listed]:
        fields = item if isinstance(item, dict) else {kind: item}
        name = _text(fields, "name")
        body = fields.get(kind) or {}
        if name in named or not isinstance(body, dict):
            failures.append(Failure(Place(path, f"{kind}/{name}"), Reason.MALFORMED_KUBECONFIG))
        else:
            named[name] = body
    return _Items(named, tuple(failures))


def _authority(path: str, name: str, cluster: Mapping[str, object]) -> Content:
    data = cluster.get("certificate-authority-data")
    return _certificates(path, f"cluster/{name}", data) if data else Content()


def _client(path: str, name: str, user: Mapping[str, object], *, decode_keys: bool) -> Content:
    entry = f"user/{name}"
    data, key = user.get("client-certificate-data"), user.get("client-key-data")
    certificates = _certificates(path, entry, data) if data else Content()
    found = read_keys(entry, key, beside=certificates, decode=decode_keys) if key else Content()
    is_broken = bool(key) and not are_usable(found.keys)
    failures = (Failure(Place(path, entry), Reason.MALFORMED_KEY),) if is_broken else ()
    return joined((certificates, found, Content(failures=failures)))


def _certificates(path: str, entry: str, data: object) -> Content:
    return read_certificates(path, entry, data, malformed=Reason.MALFORMED_KUBECONFIG)


def _cluster(name: str, cluster: Mapping[str, object]) -> Cluster:
    has_data = bool(cluster.get("certificate-authority-data"))
    return Cluster(
        name=name,
        server=_text(cluster, "server"),
        certificate_authority="" if has_data else _text(cluster, "certificate-authority"),
        has_authority_data=has_data,
        insecure_skip_tls_verify=cluster.get("insecure-skip-tls-verify") is True,
        tls_server_name=_text(cluster, "tls-server-name"),
    )


def _user(name: str, user: Mapping[str, object]) -> User:
    has_certificate = bool(user.get("client-certificate-data"))
    has_key = bool(user.get("client-key-data"))
    return User(
        name=name,
        client_certificate="" if has_certificate else _text(user, "client-certificate"),
        client_key="" if has_key else _text(user, "client-key"),
        has_certificate_data=has_certificate,
        has_key_data=has_key,
        has_token=any(user.get(credential) for credential in _CREDENTIALS),
        holds_secret=any(user.get(secret) for secret in _SECRETS),
    )


def _text(fields: Mapping[str, object], key: str) -> str:
    value = fields.get(key)
    if isinstance(value, str):
        return printable(value)
    return str(value) if isinstance(value, int | float) else ""
