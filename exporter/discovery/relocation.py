"""Distributions whose files the operator put somewhere else.

``--data-dir`` of k3s, RKE2 and k0s; ``certificatesDir`` of kubeadm's ClusterConfiguration, of which the node
knows only the flags that kubeadm made of it (``cmd/kubeadm/app/phases/controlplane/manifests.go``).
"""

from collections.abc import Iterable, Iterator
from dataclasses import replace
from posixpath import basename, dirname

from exporter.discovery.command import Command
from exporter.discovery.distributions import Layout, moved
from exporter.discovery.flags import parse_flags
from exporter.discovery.node_files import Documents, normalized, text_at
from exporter.discovery.units import is_enabled, service

_AUTHORITY = "ca.crt"
_NAMES_AUTHORITY = {
    "kube-apiserver": ("client-ca-file",),
    "kube-controller-manager": ("client-ca-file", "cluster-signing-cert-file", "root-ca-file"),
}
"""Flags that kubeadm gives its CA, all of them."""


def relocated(documents: Documents, layout: Layout) -> Layout:
    """Move a layout to where the node's own configuration says that its data is."""
    if not layout.data:
        return layout
    named = (normalized(directory) for directory in _named(documents, layout))
    directory = next((path for path in named if path is not None and _is_usable(path)), layout.data)
    return layout if directory == layout.data else moved(layout, layout.data, directory)


def with_certificates_of(layout: Layout, commands: Iterable[Command]) -> Layout:
    """Move kubeadm's own files to the one directory in which all that it gives its CA has it.

    What is searched stays: that directory may be shared, and what matters in it has a name.
    """
    directories = {*_of_authorities(commands)}
    directory = directories.pop() if len(directories) == 1 else layout.certificates
    if not layout.certificates or directory == layout.certificates or not _is_usable(directory):
        return layout
    return replace(moved(layout, layout.certificates, directory), searches=layout.searches)


def _is_usable(directory: str) -> bool:
    return directory != "/" and not any(map(str.isspace, directory))


def _of_authorities(commands: Iterable[Command]) -> Iterator[str]:
    for command in commands:
        for flag in _NAMES_AUTHORITY.get(command.component, ()) if command.is_trusted else ():
            path = command.locate(command.flags.last(flag))
            if path is not None and basename(path) == _AUTHORITY:
                yield dirname(path)


def _named(documents: Documents, layout: Layout) -> Iterator[str]:
    """Yield what the services that are started at boot say, then what configuration files say."""
    for name in layout.services:
        started = service(documents, name) if is_enabled(documents, name) else None
        if started is not None and started.is_trusted:
            flags = parse_flags(started.words[1:])
            yield flags.last("data-dir") or flags.last("d")
    for path in layout.configurations:
        if documents.exists(path) and documents.is_trusted(path):
            yield text_at(documents.load(path), "data-dir")
