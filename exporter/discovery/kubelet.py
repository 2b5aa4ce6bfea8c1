"""The kubelet's effective settings and files.

Flags go before drop-ins, drop-ins before ``--config``; drop-ins are merged as JSON merge patches in the order
of their paths, and one that does not say what it is stops the kubelet (Kubernetes
``cmd/kubelet/app/server.go``, ``mergeKubeletConfigurations``; RFC 7396). A relative path in a file starts at
that file (``pkg/kubelet/kubeletconfig/configfiles``).
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from posixpath import dirname, join

from exporter.discovery.command import Command
from exporter.discovery.node_files import Documents, at, text_at
from exporter.discovery.references import References
from exporter.model import KubeletSettings, Origin, Part, Reason, Reference, Requirement, Role, Search

_PATHS = (
    ("tlsCertFile",),
    ("tlsPrivateKeyFile",),
    ("staticPodPath",),
    ("authentication", "x509", "clientCAFile"),
)
_CERTIFICATES = "/var/lib/kubelet/pki"
"""The default of ``--cert-dir``."""
_DROP_INS_LIMIT = 100


@dataclass(frozen=True, slots=True)
class Kubelet:
    """What discovery learned of the kubelet."""

    settings: KubeletSettings = field(default_factory=KubeletSettings)
    cluster_domain: str = ""
    hostname_override: str = ""
    node_ip: str = ""


@dataclass(frozen=True, slots=True)
class _Value:
    setting: str
    value: object
    origin: Origin
    is_trusted: bool


@dataclass(frozen=True, slots=True)
class _Evidence:
    commands: Sequence[Command]
    """Strongest first; a convention comes after the configuration."""
    configuration: object
    is_trusted: bool
    """Only root can have written the configuration."""

    def flag(self, name: str) -> str:
        return next((c.flags.last(name) for c in self.commands if name in c.flags.values), "")

    def path(self, flag: str) -> str:
        """The host's path that a flag gives; empty where it gives none."""
        found = (c.locate(c.flags.last(flag)) for c in self.commands if flag in c.flags.values)
        return next(found, None) or ""

    def values(self, flag: str, *keys: str) -> Iterator[_Value]:
        """What the flag and the field say, the one that counts first."""
        given = [
            _Value(flag, command.flags.last(flag), command.origin, command.is_trusted)
            for command in self.commands
            if flag in command.flags.values
        ]
        yield from (value for value in given if value.origin is not Origin.CONVENTION)
        if (value := at(self.configuration, *keys)) is not None:
            yield _Value(".".join(keys), value, Origin.KUBELET_CONFIG, self.is_trusted)
        yield from (value for value in given if value.origin is Origin.CONVENTION)

    def boolean(self, flag: str, *keys: str) -> _Value | None:
        """The effective switch, off by default; None where nothing was found of this kubelet."""
        for found in self.values(flag, *keys):
            value = found.value
            if isinstance(value, str):
                value = {"true": True, "false": False, "1": True, "0": False}.get(value.lower())
            if isinstance(value, bool):
                return _Value(found.setting, value, found.origin, found.is_trusted)
        if self.configuration is None and self.is_partial():
            return None
        return _Value(keys[-1], value=False, origin=Origin.CONVENTION, is_trusted=True)

    def is_partial(self) -> bool:
        """There is a configuration that could not be read, or nothing but a convention."""
        return any(
            command.origin is Origin.CONVENTION or {"config", "config-dir"} & command.flags.values.keys()
            for command in self.commands
        )

    def located(self, flag: str, *keys: str) -> tuple[_Value, str] | None:
        """The effective path of a setting, on the host."""
        found = next((value for value in self.values(flag, *keys) if value.value), None)
        if found is None or not isinstance(found.value, str) or not self.commands:
            return None
        path = self.commands[0].locate(found.value)
        return None if path is None else (found, path)


def kubelet(documents: Documents, references: References, commands: Sequence[Command]) -> Kubelet:
    """Note the files of the kubelet that the commands start, the strongest evidence first."""
    if not commands:
        return Kubelet()
    configuration, is_trusted = _configuration(documents, references, commands)
    evidence = _Evidence(commands, configuration, is_trusted)
    directory = evidence.path("cert-dir") or commands[0].locate(_CERTIFICATES) or ""
    client = evidence.boolean("rotate-certificates", "rotateCertificates")
    server = evidence.boolean("rotate-server-certificates", "serverTLSBootstrap")
    for reference, trusted in _references(evidence, directory, client, server):
        references.add(reference, is_trusted=trusted)
    static_pods = evidence.located("pod-manifest-path", "staticPodPath")
    return Kubelet(
        settings=KubeletSettings(
            rotate_certificates=bool(client.value) if client else None,
            rotate_certificates_origin=client.origin if client else None,
            server_tls_bootstrap=bool(server.value) if server else None,
            server_tls_bootstrap_origin=server.origin if server else None,
            certificate_directory=directory,
            kubeconfig=evidence.path("kubeconfig"),
            bootstrap_kubeconfig=evidence.path("bootstrap-kubeconfig"),
            static_pod_path=static_pods[1] if static_pods else "",
        ),
        cluster_domain=evidence.flag("cluster-domain") or text_at(configuration, "clusterDomain"),
        hostname_override=evidence.flag("hostname-override"),
        node_ip=evidence.flag("node-ip"),
    )


def _references(
    evidence: _Evidence, directory: str, client: _Value | None, server: _Value | None
) -> Iterator[tuple[Reference, bool]]:
    own = evidence.located("tls-cert-file", "tlsCertFile")
    for part, role, found in (
        (Part.CERTIFICATE, Role.KUBELET_SERVER, own),
        (
            Part.PRIVATE_KEY,
            Role.KUBELET_SERVER,
            evidence.located("tls-private-key-file", "tlsPrivateKeyFile"),
        ),
        (Part.TRUST, Role.CA, evidence.located("client-ca-file", "authentication", "x509", "clientCAFile")),
    ):
        if found is not None:
            value, path = found
            yield _reference(value, part, role, path, Requirement.REQUIRED), value.is_trusted
    if not directory:
        return
    pairs = []
    if client is not None and client.value:
        pairs.append((client, Role.KUBELET_CLIENT, "kubelet-client-current.pem", Requirement.GENERATED))
    if server is not None and server.value:
        pairs.append((server, Role.KUBELET_SERVER, "kubelet-server-current.pem", Requirement.GENERATED))
    for value, role, name, requirement in pairs:
        for part in (Part.CERTIFICATE, Part.PRIVATE_KEY):
            yield _reference(value, part, role, join(directory, name), requirement), value.is_trusted
    if server is not None and not server.value and own is None:
        value = _default_directory(evidence)
        role = Role.KUBELET_SERVER_SELF_SIGNED
        for part, name in ((Part.CERTIFICATE, "kubelet.crt"), (Part.PRIVATE_KEY, "kubelet.key")):
            yield _reference(value, part, role, join(directory, name), Requirement.OPTIONAL), value.is_trusted


def _default_directory(evidence: _Evidence) -> _Value:
    """Who says where the kubelet makes its own serving pair."""
    given = (command for command in evidence.commands if "cert-dir" in command.flags.values)
    command = next(given, None)
    if command is None:
        return _Value("cert-dir", "", Origin.CONVENTION, is_trusted=True)
    return _Value("cert-dir", "", command.origin, command.is_trusted)


def _reference(value: _Value, part: Part, role: Role, path: str, requirement: Requirement) -> Reference:
    return Reference(
        component="kubelet",
        setting=value.setting,
        part=part,
        role=role,
        path=path,
        origin=value.origin,
        requirement=requirement,
    )


def _configuration(
    documents: Documents, references: References, commands: Sequence[Command]
) -> tuple[object, bool]:
    """The merged configuration, None where there is none, and whether only root can have written it."""
    evidence = _Evidence(commands, None, is_trusted=True)
    trusted_command = all(command.is_trusted for command in commands)
    merged: object = None
    is_trusted = trusted_command
    for path, is_drop_in in _sources(documents, evidence):
        if not references.may_open(path, is_trusted=trusted_command):
            continue
        document = documents.load(path)
        if document is None:
            continue
        if is_drop_in and text_at(document, "kind") != "KubeletConfiguration":
            documents.fail(path, Reason.MALFORMED_CONFIGURATION)
            continue
        merged = _merged(merged, _absolute(document, dirname(path)))
        is_trusted = is_trusted and documents.is_trusted(path)
    return merged, is_trusted


def _sources(documents: Documents, evidence: _Evidence) -> Iterator[tuple[str, bool]]:
    if path := evidence.path("config"):
        yield path, False
    if directory := evidence.path("config-dir"):
        documents.directories[directory] = None
        found = documents.files.match(Search(pattern=f"{directory}/**/*.conf"))
        yield from ((path, True) for path in sorted(set(found))[:_DROP_INS_LIMIT])


def _merged(base: object, patch: object) -> object:
    """Apply a JSON merge patch (RFC 7396): objects are merged, anything else is replaced, null removes."""
    if not isinstance(patch, Mapping):
        return patch
    result = dict(base) if isinstance(base, Mapping) else {}
    for key, value in patch.items():
        if value is None:
            result.pop(key, None)
        else:
            result[key] = _merged(result.get(key), value)
    return result


def _absolute(document: object, directory: str) -> object:
    """The document with each relative path in it made absolute."""
    patch: object = document
    for keys in _PATHS:
        if path := text_at(document, *keys):
            value: object = join(directory, path)
            for key in reversed(keys):
                value = {key: value}
            patch = _merged(patch, value)
    return patch
