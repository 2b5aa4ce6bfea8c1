"""The kubelet's effective settings and files.

Flags go before its configuration (Kubernetes ``cmd/kubelet/app/server.go``, ``kubeletConfigFlagPrecedence``);
the certificate directory and the kubeconfigs exist only as flags.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from posixpath import join

from exporter.discovery.command import Command
from exporter.discovery.kubeconfigs import need_of_pair
from exporter.discovery.kubelet_config import configuration
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
    flags = _Evidence(commands, None, is_trusted=all(command.is_trusted for command in commands))
    evidence = _Evidence(
        commands,
        *configuration(
            documents,
            references,
            flags.path("config"),
            flags.path("config-dir"),
            is_trusted=flags.is_trusted,
        ),
    )
    directory = evidence.path("cert-dir") or commands[0].locate(_CERTIFICATES) or ""
    client = evidence.boolean("rotate-certificates", "rotateCertificates")
    server = evidence.boolean("rotate-server-certificates", "serverTLSBootstrap")
    for reference, trusted in _references(evidence, directory, client, server):
        if reference.requirement is Requirement.GENERATED:
            need = need_of_pair(documents, references, reference.path, is_trusted=trusted)
            references.add(replace(reference, requirement=need), is_trusted=trusted)
        else:
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
        cluster_domain=evidence.flag("cluster-domain") or text_at(evidence.configuration, "clusterDomain"),
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
