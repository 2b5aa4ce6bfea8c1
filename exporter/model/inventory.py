"""Everything known of one node at one moment, with the lookups that judgements need."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from functools import cached_property
from types import MappingProxyType
from typing import TypeVar

from exporter.model.certificate import Certificate, Fingerprint, SpkiHash
from exporter.model.discovery import Reading
from exporter.model.document import File, FileStatus, Reason
from exporter.model.node import Node
from exporter.model.place import Place
from exporter.model.reference import Part, Reference
from exporter.model.role import Role, State

_K = TypeVar("_K")
_V = TypeVar("_V")


@dataclass(frozen=True, slots=True)
class Authority:
    """A CA known here whose key verifies a certificate's signature."""

    fingerprint: Fingerprint
    role: Role


@dataclass(frozen=True, slots=True, kw_only=True)
class Occurrence:
    """One certificate in one place."""

    place: Place
    certificate: Certificate
    role: Role
    state: State
    issuers: tuple[Authority, ...]
    """Each other CA known here that verifies it, each fingerprint once."""
    issuer_fingerprint: Fingerprint | None
    """The issuer on the path of ``effective_not_after``."""
    effective_not_after: datetime
    rotation_due: datetime | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class PlacedFailure:
    """A failure with what the file would have been."""

    place: Place
    role: Role
    state: State
    reason: Reason


@dataclass(frozen=True, slots=True, kw_only=True)
class TrustAnchor:
    """A CA that a component or kubeconfig trusts."""

    component: str
    setting: str
    path: str
    entry: str
    certificate: Certificate


@dataclass(frozen=True, slots=True, kw_only=True)
class ServiceAccountKey:
    """A key that signs or verifies service account tokens."""

    path: str
    component: str
    spki_sha256: SpkiHash


@dataclass(frozen=True, kw_only=True)
class Inventory:
    """One immutable picture of the node."""

    node: Node
    occurrences: tuple[Occurrence, ...] = ()
    """Sorted by place."""
    failures: tuple[PlacedFailure, ...] = ()
    references: tuple[Reference, ...] = ()
    files: Mapping[str, File] = field(default_factory=lambda: MappingProxyType({}))
    """Every file read or referenced, by its path as named; two paths may be one inode."""
    uses: Mapping[str, tuple[Reference, ...]] = field(default_factory=lambda: MappingProxyType({}))
    """The path under which each inode is shown, to the references to any path of it."""
    directories: Mapping[str, FileStatus] = field(default_factory=lambda: MappingProxyType({}))
    """Every directory on the way to a file, by path."""
    trust_anchors: tuple[TrustAnchor, ...] = ()
    service_account_keys: tuple[ServiceAccountKey, ...] = ()
    superseded: Mapping[str, int] = field(default_factory=lambda: MappingProxyType({}))
    """Directory to number of old dated kubelet pairs."""
    last_changes: Mapping[str, float] = field(default_factory=lambda: MappingProxyType({}))
    """Path to the Unix time at which its certificates were seen to change."""
    readings: tuple[Reading, ...] = ()

    @cached_property
    def _occurrences_by_path(self) -> Mapping[str, tuple[Occurrence, ...]]:
        return _grouped((occurrence.place.path, occurrence) for occurrence in self.occurrences)

    @cached_property
    def _references_by_path(self) -> Mapping[str, tuple[Reference, ...]]:
        return _grouped((reference.path, reference) for reference in self.references)

    @cached_property
    def _keys_by_use(self) -> Mapping[tuple[str, Role], tuple[str, ...]]:
        return _grouped(
            ((reference.component, reference.role), reference.path)
            for reference in self.references
            if reference.part is Part.PRIVATE_KEY
        )

    @cached_property
    def _occurrences_by_role(self) -> Mapping[Role, tuple[Occurrence, ...]]:
        return _grouped((occurrence.role, occurrence) for occurrence in self.occurrences)

    def at(self, path: str) -> tuple[Occurrence, ...]:
        """The certificates in the file of that place."""
        return self._occurrences_by_path.get(path, ())

    def references_to(self, path: str) -> tuple[Reference, ...]:
        """Who names that path."""
        return self._references_by_path.get(path, ())

    def uses_of(self, path: str) -> tuple[Reference, ...]:
        """Who names the file shown under that path, by whatever path."""
        return self.uses.get(path, ())

    def shown_files(self) -> Iterator[File]:
        """Each inode once, under the path it is shown under."""
        return (self.files[path] for path in self.uses)

    def with_role(self, *roles: Role) -> tuple[Occurrence, ...]:
        """The certificates that have one of the roles."""
        return tuple(o for role in roles for o in self._occurrences_by_role.get(role, ()))

    def is_present(self, path: str) -> bool:
        """Something is at that path."""
        return (file := self.files.get(path)) is not None and file.exists

    def keys_of(self, component: str, role: Role) -> tuple[str, ...]:
        """The private key files that a component uses in a role."""
        return self._keys_by_use.get((component, role), ())


def _grouped(pairs: Iterable[tuple[_K, _V]]) -> Mapping[_K, tuple[_V, ...]]:
    groups: dict[_K, list[_V]] = {}
    for key, value in pairs:
        groups.setdefault(key, []).append(value)
    return {key: tuple(values) for key, values in groups.items()}
