"""The kubelet's effective settings and files.

Flags go before its configuration (Kubernetes ``cmd/kubelet/app/server.go``, ``kubeletConfigFlagPrecedence``);
the certificate directory and the kubeconfigs exist only as flags.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from posixpath import join

from exporter.discovery.command import Command
from exporter.discovery.kubeconfigs import need_of_pair
from exporter.discovery.kubelet_config import Configuration, Named, configuration
from exporter.discovery.node_files import Documents, at, text_at
from exporter.discovery.references import References
from exporter.model import KubeletSettings, Origin, Part, Reference, Requirement, Role

_CERTIFICATES = "/var/lib/kubelet/pki"
"""The default of ``--cert-dir``."""


@dataclass(frozen=True, slots=True)
class Kubelet:
    """What discovery learned of the kubelet."""

    settings: KubeletSettings = field(default_factory=KubeletSettings)
    cluster_domain: str = ""
    hostname_override: str = ""
    node_ip: str = ""
    searches: tuple[str, ...] = ()
    """Patterns of the dated pairs in its own directory."""


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
    configuration: Configuration

    def flag(self, name: str) -> str:
        return next((c.flags.last(name) for c in self.commands if name in c.flags.values), "")

    def named(self, flag: str) -> Named:
        """The host's path that a flag gives."""
        command = next((c for c in self.commands if flag in c.flags.values), None)
        path = None if command is None else command.locate(command.flags.last(flag))
        return Named() if command is None or path is None else Named(path, command.is_trusted)

    def values(self, flag: str, *keys: str) -> Iterator[_Value]:
        """What the flag and the field say, the one that counts first."""
        given = [
            _Value(flag, command.flags.last(flag), command.origin, command.is_trusted)
            for command in self.commands
            if flag in command.flags.values
        ]
        yield from (value for value in given if value.origin is not Origin.CONVENTION)
        if (value := at(self.configuration.document, *keys)) is not None:
            yield _Value(".".join(keys), value, Origin.KUBELET_CONFIG, self.configuration.is_trusted)
        yield from (value for value in given if value.origin is Origin.CONVENTION)

    def boolean(self, flag: str, *keys: str) -> _Value | None:
        """The effective switch, off by default; None where nothing was found of this kubelet."""
        for found in self.values(flag, *keys):
            value = found.value
            if isinstance(value, str):
                value = {"true": True, "false": False, "1": True, "0": False}.get(value.lower())
            if isinstance(value, bool):
                return _Value(found.setting, value, found.origin, found.is_trusted)
        if self.is_partial():
            return None
        return _Value(keys[-1], value=False, origin=Origin.CONVENTION, is_trusted=True)

    def is_partial(self) -> bool:
        """Some of the configuration could not be read, or there is nothing but a convention."""
        return not self.configuration.is_whole or (
            self.configuration.document is None
            and any(
                command.origin is Origin.CONVENTION or {"config", "config-dir"} & command.flags.values.keys()
                for command in self.commands
            )
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
    flags = _Evidence(commands, Configuration())
    files = configuration(documents, references, flags.named("config"), flags.named("config-dir"))
    evidence = _Evidence(commands, files)
    directory = _certificate_directory(references, evidence)
    client = evidence.boolean("rotate-certificates", "rotateCertificates")
    server = evidence.boolean("rotate-server-certificates", "serverTLSBootstrap")
    for reference, trusted in _named_files(evidence):
        references.add(reference, is_trusted=trusted)
    for reference in _own_files(evidence, directory, client, server) if directory else ():
        need = reference.requirement
        if need is Requirement.GENERATED:
            need = need_of_pair(documents, references, reference.path, is_trusted=True)
        references.add(replace(reference, requirement=need))
    return Kubelet(
        settings=KubeletSettings(
            rotate_certificates=bool(client.value) if client else None,
            rotate_certificates_origin=client.origin if client else None,
            server_tls_bootstrap=bool(server.value) if server else None,
            server_tls_bootstrap_origin=server.origin if server else None,
            certificate_directory=directory,
            kubeconfig=evidence.named("kubeconfig").path,
            bootstrap_kubeconfig=evidence.named("bootstrap-kubeconfig").path,
            static_pod_path=_manifests(references, evidence),
        ),
        cluster_domain=evidence.flag("cluster-domain") or text_at(files.document, "clusterDomain"),
        hostname_override=evidence.flag("hostname-override"),
        node_ip=evidence.flag("node-ip"),
        searches=(join(directory, "kubelet-*.pem"),) if directory else (),
    )


def _certificate_directory(references: References, evidence: _Evidence) -> str:
    """Where the kubelet keeps its own pairs; empty where that is unknown or may not be looked into."""
    named = evidence.named("cert-dir")
    if not named.path:
        return evidence.commands[0].locate(_CERTIFICATES) or ""
    return named.path if references.may_open(named.path, is_trusted=named.is_trusted) else ""


def _manifests(references: References, evidence: _Evidence) -> str:
    """The directory of the static pods; empty where there is none that may be looked into."""
    found = evidence.located("pod-manifest-path", "staticPodPath")
    if found is None:
        return ""
    value, path = found
    return path if references.may_open(path, is_trusted=value.is_trusted) else ""


def _named_files(evidence: _Evidence) -> Iterator[tuple[Reference, bool]]:
    """Yield what flags and fields name, and whether each can be believed."""
    for part, role, found in (
        (Part.CERTIFICATE, Role.KUBELET_SERVER, evidence.located("tls-cert-file", "tlsCertFile")),
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


def _own_files(
    evidence: _Evidence, directory: str, client: _Value | None, server: _Value | None
) -> Iterator[Reference]:
    """Yield what the kubelet makes itself in its certificate directory."""
    pairs = []
    if client is not None and client.value:
        pairs.append((client, Role.KUBELET_CLIENT, "kubelet-client-current.pem"))
    if server is not None and server.value:
        pairs.append((server, Role.KUBELET_SERVER, "kubelet-server-current.pem"))
    for value, role, name in pairs:
        for part in (Part.CERTIFICATE, Part.PRIVATE_KEY):
            yield _reference(value, part, role, join(directory, name), Requirement.GENERATED)
    has_pair = evidence.located("tls-cert-file", "tlsCertFile") is not None
    if server is not None and not server.value and not has_pair:
        value = _default_directory(evidence)
        role = Role.KUBELET_SERVER_SELF_SIGNED
        for part, name in ((Part.CERTIFICATE, "kubelet.crt"), (Part.PRIVATE_KEY, "kubelet.key")):
            yield _reference(value, part, role, join(directory, name), Requirement.OPTIONAL)


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
