"""What one distribution does its own way: the fields of the rows of the table."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field, fields, is_dataclass, replace
from enum import StrEnum
from types import MappingProxyType

from exporter.model import Distribution, Part, Role


@dataclass(frozen=True, slots=True, kw_only=True)
class DefaultCommand:
    """How the distribution starts a component where no process, unit or file shows it."""

    component: str
    arguments: str
    needs: str = ""
    """The component that must be enabled; the same one where empty."""
    where: str = ""
    """A path that must exist."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Convention:
    """A file that is used without any flag or field that names it."""

    component: str
    part: Part
    role: Role
    path: str
    needs: str
    """The component that must be enabled."""
    where: str = ""
    """A path that must exist."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Layout:
    """A row of the table of distributions."""

    distribution: Distribution
    programs: frozenset[str] = frozenset()
    """Its own program, which runs the kubelet itself or starts it."""
    marks: tuple[str, ...] = ()
    """Paths of which one is enough to tell it."""
    hints: tuple[str, ...] = ()
    """Paths that tell it where nothing else does, as they may be left over or another's."""
    directories: tuple[str, ...] = ()
    """Where certificates and what configures them belong: there alone is a doubtful reference followed."""
    searches: tuple[str, ...] = ()
    """Files to look at although nothing may name them."""
    enabled: tuple[str, ...] = ()
    """Components that run on each of its nodes."""
    enabled_by: tuple[tuple[str, tuple[str, ...]], ...] = ()
    """A path whose presence shows that components run here."""
    disabled_by: tuple[tuple[str, tuple[str, ...]], ...] = ()
    """A path whose presence shows that components do not run here."""
    agent_words: frozenset[str] = frozenset()
    """First arguments of its own program that start no control plane."""
    unit: str = ""
    """The systemd service that starts the kubelet."""
    manifests: str = ""
    """The static pod directory where the kubelet's configuration names none."""
    environment_files: tuple[str, ...] = ()
    """Further flags for the kubelet's default command line, in variables."""
    argument_files: Mapping[str, str] = field(default_factory=lambda: MappingProxyType({}))
    """Component to the file that holds its flags, one a line."""
    variables: Mapping[str, str] = field(default_factory=lambda: MappingProxyType({}))
    """What stands for variables in those files."""
    commands: tuple[DefaultCommand, ...] = ()
    conventions: tuple[Convention, ...] = ()
    roles: Mapping[str, Role] = field(default_factory=lambda: MappingProxyType({}))
    """Path to role where the flag alone tells too little."""
    users: tuple[str, ...] = ()
    """Names or numbers of the users that its components run as, besides root."""
    groups: tuple[str, ...] = ()
    """Groups whose members share a key."""
    data: str = ""
    """The data directory that ``--data-dir`` replaces."""
    certificates: str = ""
    """The directory that kubeadm's ``certificatesDir`` replaces."""
    configurations: tuple[str, ...] = ()
    """Files in which ``data-dir`` may stand."""
    services: tuple[str, ...] = ()
    """Services of its own program, whose command line may have ``--data-dir``."""
    kubeadm_configurations: tuple[str, ...] = ()
    """Where kubeadm's configuration is left on the node."""


def pair(
    component: str, role: Role, certificate: str, key: str, *, needs: str, where: str = ""
) -> tuple[Convention, Convention]:
    """A certificate and its private key."""
    return (
        Convention(
            component=component, part=Part.CERTIFICATE, role=role, path=certificate, needs=needs, where=where
        ),
        Convention(component=component, part=Part.PRIVATE_KEY, role=role, path=key, needs=needs, where=where),
    )


def authority_key(component: str, role: Role, path: str, *, needs: str) -> Convention:
    """The private key of a CA, which is never opened."""
    return Convention(component=component, part=Part.PRIVATE_KEY, role=role, path=path, needs=needs)


def kubeconfig(component: str, role: Role, path: str, *, needs: str) -> Convention:
    """A kubeconfig that people or the distribution itself use."""
    return Convention(component=component, part=Part.KUBECONFIG, role=role, path=path, needs=needs)


def moved(layout: Layout, default: str, directory: str) -> Layout:
    """The layout of a node where what belongs into one directory lies in another."""
    pattern = re.compile(re.escape(default) + r"(?=[/ ]|$)")
    moved_layout = _moved(layout, pattern, directory)
    return moved_layout if isinstance(moved_layout, Layout) else layout


def _moved(value: object, default: re.Pattern[str], directory: str) -> object:
    if isinstance(value, StrEnum):
        return value
    if isinstance(value, str):
        return default.sub(lambda _: directory, value)
    if isinstance(value, tuple):
        return tuple(_moved(item, default, directory) for item in value)
    if isinstance(value, Mapping):
        return {
            _moved(key, default, directory): _moved(item, default, directory) for key, item in value.items()
        }
    if is_dataclass(value) and not isinstance(value, type):
        changes = {item.name: _moved(getattr(value, item.name), default, directory) for item in fields(value)}
        return replace(value, **changes)
    return value
