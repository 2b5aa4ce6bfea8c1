"""The files that a component's command line names, and those that it uses without any."""

from collections.abc import Iterator
from dataclasses import replace
from posixpath import join

from exporter.discovery.command import Command
from exporter.discovery.component_configs import mentions
from exporter.discovery.components import FILES, OWN_CERTIFICATES, Setting
from exporter.discovery.distributions import Layout
from exporter.discovery.kubeconfigs import Named, current_server_name, follow
from exporter.discovery.node_files import Documents, normalized
from exporter.discovery.references import References
from exporter.model import Origin, Part, Reason, Reference, Requirement

_OF_OTHERS = frozenset(
    {
        "authentication-token-webhook-config-file",
        "authorization-webhook-config-file",
        "audit-webhook-config-file",
        "admission-control-config-file",
        "authorization-config",
        "bootstrap-kubeconfig",
    }
)
"""Settings whose kubeconfigs lead elsewhere than to the API server, or lead there no longer."""


def files_of(documents: Documents, references: References, command: Command) -> Iterator[str]:
    """Note each file that a component is given, and yield the API servers that its kubeconfigs name."""
    for flag, setting in FILES.get(command.component, {}).items():
        for inside in command.flags.all(flag):
            yield from _use(documents, references, command, flag, setting, inside)
    for flag, setting, inside in _further(command):
        yield from _use(documents, references, command, flag, setting, inside)
    if command.component != "kubelet":
        for mention in mentions(documents, references, command):
            path = command.locate(mention.inside)
            if path is not None:
                yield from _note(
                    documents,
                    references,
                    Named(
                        component=command.component,
                        setting=mention.setting,
                        role=mention.role,
                        inside=mention.inside,
                        path=path,
                        locate=command.locate,
                        is_trusted=mention.is_trusted,
                    ),
                    mention.part,
                    Origin.COMPONENT_CONFIG,
                    Requirement.REQUIRED,
                )


def _use(
    documents: Documents,
    references: References,
    command: Command,
    flag: str,
    setting: Setting,
    inside: str,
) -> Iterator[str]:
    path = command.locate(inside)
    if path is not None:
        named = Named(
            component=command.component,
            setting=flag,
            role=setting.role,
            inside=inside,
            path=path,
            locate=command.locate,
            is_trusted=command.is_trusted,
            can_bootstrap=_can_bootstrap(documents, command),
        )
        yield from _note(documents, references, named, setting.part, command.origin, setting.requirement)


def _can_bootstrap(documents: Documents, command: Command) -> bool:
    """A kubelet makes its first pair by a bootstrap kubeconfig (``cmd/kubelet/app/server.go``).

    One that is given none, or one that is not there, has to find the pair that its kubeconfig names.
    """
    if command.component != "kubelet":
        return True
    given = [command.locate(inside) for inside in command.flags.all("bootstrap-kubeconfig")]
    if not given:
        return command.origin is Origin.CONVENTION
    return any(path is None or documents.files.status(path) is not Reason.NOT_FOUND for path in given)


def _note(
    documents: Documents,
    references: References,
    named: Named,
    part: Part,
    origin: Origin,
    requirement: Requirement,
) -> Iterator[str]:
    reference = Reference(
        component=named.component,
        setting=named.setting,
        part=part,
        role=named.role,
        path=named.path,
        origin=origin,
        requirement=requirement,
    )
    references.add(reference, is_trusted=named.is_trusted)
    if part is Part.KUBECONFIG:
        kubeconfig = follow(documents, references, named)
        if kubeconfig is not None and named.setting not in _OF_OTHERS:
            yield current_server_name(kubeconfig)


def _further(command: Command) -> Iterator[tuple[str, Setting, str]]:
    """Pairs that one flag names together, and the one a component makes itself where it is given none."""
    server = FILES.get(command.component, {}).get("tls-cert-file")
    if server is None:
        return
    certificate, key = Setting(Part.CERTIFICATE, server.role), Setting(Part.PRIVATE_KEY, server.role)
    for value in command.flags.all("tls-sni-cert-key"):
        first, _, second = value.partition(":")[0].partition(",")
        yield "tls-sni-cert-key", certificate, first
        yield "tls-sni-cert-key", key, second
    directory = command.flags.last("cert-dir")
    if directory and "tls-cert-file" not in command.flags.values:
        name = join(directory, OWN_CERTIFICATES[command.component])
        yield "cert-dir", replace(certificate, requirement=Requirement.OPTIONAL), f"{name}.crt"
        yield "cert-dir", replace(key, requirement=Requirement.OPTIONAL), f"{name}.key"


def conventions(
    documents: Documents, references: References, layout: Layout, enabled: frozenset[str]
) -> Iterator[str]:
    """Note what the distribution uses without any flag, and yield the API servers its kubeconfigs name."""
    for convention in layout.conventions:
        if convention.needs not in enabled:
            continue
        if convention.where and not documents.exists(convention.where):
            continue
        named = Named(
            component=convention.component,
            setting=layout.distribution.value,
            role=convention.role,
            inside=convention.path,
            path=convention.path,
            locate=normalized,
        )
        yield from _note(
            documents, references, named, convention.part, Origin.CONVENTION, Requirement.OPTIONAL
        )
