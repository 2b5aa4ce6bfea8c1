"""What the kubeconfigs name that a component is given: certificates, keys, CAs and servers.

client-go ``tools/clientcmd``: embedded data goes before a path, and a relative path starts at the kubeconfig.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from posixpath import basename, dirname, join

from exporter.discovery.command import Locate
from exporter.discovery.node_files import Documents, normalized
from exporter.discovery.references import References
from exporter.model import File, Kubeconfig, KubeletPair, Origin, Part, Reference, Requirement, Role
from exporter.parsing.url import server_name


@dataclass(frozen=True, slots=True, kw_only=True)
class Named:
    """A kubeconfig that some setting of a component names."""

    component: str
    setting: str
    role: Role
    inside: str
    """The path as the component sees it."""
    path: str
    """The path on the host."""
    locate: Locate = normalized
    is_trusted: bool = True
    can_bootstrap: bool = True
    """The component may make its own pair when it has none."""


def follow(documents: Documents, references: References, named: Named) -> Kubeconfig | None:
    """Note what a kubeconfig names; None where there is none that can be read."""
    documents.directories[dirname(named.path)] = None
    if not references.may_open(named.path, is_trusted=named.is_trusted):
        return None
    kubeconfig = documents.files.file(named.path, expected=Part.KUBECONFIG).content.kubeconfig
    if kubeconfig is None:
        return None
    is_trusted = named.is_trusted and documents.is_trusted(named.path)
    for part, role, written in _paths(kubeconfig, named.role):
        path = named.locate(join(dirname(named.inside), written))
        if path is not None:
            need = need_of_pair(documents, references, path, is_trusted=is_trusted)
            reference = Reference(
                component=named.component,
                setting=named.setting,
                part=part,
                role=role,
                path=path,
                origin=Origin.KUBECONFIG,
                requirement=need if named.can_bootstrap else Requirement.REQUIRED,
            )
            references.add(reference, is_trusted=is_trusted)
    return kubeconfig


def need_of_pair(documents: Documents, references: References, path: str, *, is_trusted: bool) -> Requirement:
    """Tell of a kubelet's own link whether it was made, be it that it leads nowhere or is gone since.

    A kubelet writes a dated pair before the link, and removes none (client-go ``certificate_store.go``).
    """
    pair = KubeletPair.of(basename(path))
    if pair is None or not pair.is_current:
        return Requirement.REQUIRED
    if not references.may_open(path, is_trusted=is_trusted):
        return Requirement.GENERATED
    left = (KubeletPair.of(name) for name in documents.files.names(dirname(path)))
    is_made = any(found is not None and found.kind == pair.kind for found in left)
    return Requirement.REQUIRED if is_made else Requirement.GENERATED


def _paths(kubeconfig: Kubeconfig, role: Role) -> list[tuple[Part, Role, str]]:
    found = [
        (part, role, path)
        for user in kubeconfig.users
        for part, path in (
            (Part.CERTIFICATE, user.client_certificate),
            (Part.PRIVATE_KEY, user.client_key),
        )
        if path
    ]
    return found + [
        (Part.TRUST, Role.CA, cluster.certificate_authority)
        for cluster in kubeconfig.clusters
        if cluster.certificate_authority
    ]


def named_beside(file: File) -> Iterator[str]:
    """Yield the certificate files of a kubeconfig; relative paths start at it (``clientcmd``)."""
    kubeconfig = file.content.kubeconfig
    if kubeconfig is None:
        return
    for part, _, written in _paths(kubeconfig, Role.KUBECONFIG_USER):
        path = normalized(join(dirname(file.path), written))
        if part is not Part.PRIVATE_KEY and path is not None:
            yield path


def current_server_name(kubeconfig: Kubeconfig) -> str:
    """The name that the API server must prove to a user of the current context; empty where it need not."""
    current = next(
        (context for context in kubeconfig.contexts if context.name == kubeconfig.current_context), None
    )
    cluster = next(
        (
            cluster
            for cluster in kubeconfig.clusters
            if current is not None and cluster.name == current.cluster
        ),
        None,
    )
    return "" if cluster is None else server_name(cluster)
