"""An etcd's files, listeners and names, from flags, environment or configuration file.

etcd ``server/embed/config.go``, ``client/pkg/transport/listener.go`` (``ServerConfig``): a trusted CA alone
is enough to require client certificates, a listener's scheme alone decides whether it speaks TLS, and with a
configuration file every flag and variable is ignored. What that file names has the flag's name here.
"""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass

from exporter.discovery.command import Command
from exporter.discovery.node_files import Documents, at
from exporter.discovery.references import References
from exporter.model import Listener, Origin, Part, Reference, Requirement, Role
from exporter.parsing.url import host_of

_FILES: Mapping[str, tuple[Part, Role]] = {
    "cert-file": (Part.CERTIFICATE, Role.ETCD_SERVER),
    "key-file": (Part.PRIVATE_KEY, Role.ETCD_SERVER),
    "trusted-ca-file": (Part.TRUST, Role.ETCD_CA),
    "client-cert-file": (Part.CERTIFICATE, Role.OTHER),
    "client-key-file": (Part.PRIVATE_KEY, Role.OTHER),
    "peer-cert-file": (Part.CERTIFICATE, Role.ETCD_PEER),
    "peer-key-file": (Part.PRIVATE_KEY, Role.ETCD_PEER),
    "peer-trusted-ca-file": (Part.TRUST, Role.ETCD_PEER_CA),
    "peer-client-cert-file": (Part.CERTIFICATE, Role.ETCD_PEER),
    "peer-client-key-file": (Part.PRIVATE_KEY, Role.ETCD_PEER),
}
_AUTO_TLS = {
    "auto-tls": ("cert-file", Role.ETCD_SERVER, "client"),
    "peer-auto-tls": ("peer-cert-file", Role.ETCD_PEER, "peer"),
}
_LISTENERS = (
    ("client", "", ("listen-client-urls", "listen-client-http-urls")),
    ("peer", "peer-", ("listen-peer-urls",)),
    ("metrics", "", ("listen-metrics-urls",)),
)
_DEFAULTS = {
    "listen-client-urls": "http://localhost:2379",
    "listen-peer-urls": "http://localhost:2380",
}
_SECURE = ("https://", "unixs://")
_WILDCARDS = frozenset({"", "0.0.0.0", "::"})  # noqa: S104 - compared with, not bound
_URLS_LIMIT = 64


@dataclass(frozen=True, slots=True, kw_only=True)
class Etcd:
    """What one etcd is configured to be."""

    listeners: tuple[Listener, ...]
    document: str
    """What configures it; empty where only its process or a convention tells."""
    names: tuple[str, ...]
    peer_names: tuple[str, ...]
    auto_tls: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class _Settings:
    value: Callable[[str], str]
    origin: Origin
    document: str
    is_complete: bool
    is_trusted: bool

    def boolean(self, name: str) -> bool:
        return self.value(name) in {"1", "t", "T", "TRUE", "true", "True"}

    def urls(self, name: str) -> tuple[str, ...]:
        """Comma-separated URLs, those with a variable that nobody expanded left out."""
        default = _DEFAULTS.get(name, "") if self.is_complete else ""
        given = (self.value(name) or default).split(",")[:_URLS_LIMIT]
        return tuple(url for url in (part.strip() for part in given) if url and "$" not in url)


@dataclass(frozen=True, slots=True)
class _File:
    setting: str
    part: Part
    role: Role
    written: str
    requirement: Requirement


def etcd(documents: Documents, references: References, command: Command) -> Etcd | None:
    """Note the files of an etcd and tell what it listens on; None where its configuration cannot be read."""
    settings = _settings(documents, references, command)
    if settings is None:
        return None
    for file in (*_files(settings), *_own_files(settings)):
        if path := command.locate(file.written):
            reference = Reference(
                component=command.component,
                setting=file.setting,
                part=file.part,
                role=file.role,
                path=path,
                origin=settings.origin,
                requirement=file.requirement,
            )
            references.add(reference, is_trusted=settings.is_trusted)
    return Etcd(
        listeners=tuple(_listeners(settings)),
        document=settings.document,
        names=_names(settings, "listen-client-urls", "listen-client-http-urls", "advertise-client-urls"),
        peer_names=_names(settings, "listen-peer-urls", "initial-advertise-peer-urls"),
        auto_tls=_auto_tls(settings),
    )


def _settings(documents: Documents, references: References, command: Command) -> _Settings | None:
    inside = command.value("config-file")
    if not inside:
        return _Settings(
            command.value,
            command.origin,
            command.document,
            is_complete=command.is_complete,
            is_trusted=command.is_trusted,
        )
    path = command.locate(inside)
    if path is None or not references.may_open(path, is_trusted=command.is_trusted):
        return None
    document = documents.load(path)
    if document is None:
        return None

    def value(name: str) -> str:
        section = "peer-transport-security" if name.startswith("peer-") else "client-transport-security"
        found = at(document, section, name.removeprefix("peer-"))
        if found is None:
            found = at(document, name)
        if isinstance(found, bool):
            return "true" if found else "false"
        return found if isinstance(found, str) else ""

    is_trusted = command.is_trusted and documents.is_trusted(path)
    return _Settings(value, Origin.COMPONENT_CONFIG, path, is_complete=True, is_trusted=is_trusted)


def _files(settings: _Settings) -> Iterator[_File]:
    one_for_both = settings.value("peer-trusted-ca-file") == settings.value("trusted-ca-file")
    for setting, (part, role) in _FILES.items():
        own = Role.ETCD_CA if one_for_both and role is Role.ETCD_PEER_CA else role
        yield _File(setting, part, own, settings.value(setting), Requirement.REQUIRED)


def _own_files(settings: _Settings) -> Iterator[_File]:
    """The pairs that ``auto-tls`` makes (etcd ``listener.go``, ``SelfCert``)."""
    for setting in _auto_tls(settings):
        _, role, folder = _AUTO_TLS[setting]
        directory = f"{settings.value('data-dir') or 'default.etcd'}/fixtures/{folder}"
        yield _File(setting, Part.CERTIFICATE, role, f"{directory}/cert.pem", Requirement.GENERATED)
        yield _File(setting, Part.PRIVATE_KEY, role, f"{directory}/key.pem", Requirement.GENERATED)


def _auto_tls(settings: _Settings) -> tuple[str, ...]:
    """Where self-made certificates take effect: only without a pair (``embed.Config.ClientSelfCert``)."""
    return tuple(
        setting
        for setting, (certificate, _, _) in _AUTO_TLS.items()
        if settings.boolean(setting) and not settings.value(certificate)
    )


def _listeners(settings: _Settings) -> Iterator[Listener]:
    for listener, prefix, names in _LISTENERS:
        required = settings.boolean(f"{prefix}client-cert-auth") or settings.value(f"{prefix}trusted-ca-file")
        unasked = "none" if settings.is_complete else "unknown"
        for url in (url for name in names for url in settings.urls(name)):
            is_secure = url.startswith(_SECURE)
            yield Listener(
                url=url,
                listener=listener,
                transport="tls" if is_secure else "plaintext",
                client_auth="none" if not is_secure else "required" if required else unasked,
                origin=settings.origin,
            )


def _names(settings: _Settings, *urls: str) -> tuple[str, ...]:
    hosts = (host_of(url) for name in urls for url in settings.urls(name))
    return tuple(dict.fromkeys(host for host in hosts if host not in _WILDCARDS))
