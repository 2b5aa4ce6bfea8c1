"""Gathers references: each fact once, by its strongest evidence, and none that cannot be believed."""

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace

from exporter.inventory.roles import AUTHORITIES
from exporter.model import Failure, Origin, Part, Place, Reason, Reference, Requirement, Role

_STRENGTH = {origin: strength for strength, origin in enumerate(Origin)}
_NEED = {Requirement.REQUIRED: 0, Requirement.GENERATED: 1, Requirement.OPTIONAL: 2}


@dataclass(slots=True)
class References:
    """The references found so far."""

    is_known: Callable[[str], bool]
    """The path is below a PKI directory of some distribution."""
    _found: dict[tuple[str, str, Part, str], Reference] = field(default_factory=dict)
    _named: set[str] = field(default_factory=set)
    _trusted: set[str] = field(default_factory=set)
    _private_keys: set[str] = field(default_factory=set)

    def add(self, reference: Reference, *, is_trusted: bool = True) -> None:
        """Note a reference, or strengthen the one already there with the same words."""
        if reference.origin is Origin.CONVENTION and reference.requirement is Requirement.REQUIRED:
            reference = replace(reference, requirement=Requirement.OPTIONAL)
        self._note(reference.path, is_trusted=is_trusted)
        if reference.part is Part.PRIVATE_KEY:
            self._private_keys.add(reference.path)
        key = (reference.component, reference.setting, reference.part, reference.path)
        known = self._found.get(key)
        self._found[key] = reference if known is None else _stronger(known, reference)

    def may_open(self, path: str, *, is_trusted: bool) -> bool:
        """A path that somebody other than root named is opened only where certificates belong.

        One that is refused becomes a failure, unless something that can be believed names it, too.
        """
        self._note(path, is_trusted=is_trusted)
        return self._is_allowed(path)

    def is_private_key(self, path: str) -> bool:
        """Something uses the path as a private key."""
        return path in self._private_keys

    def settled(self, roles: Mapping[str, Role]) -> tuple[tuple[Reference, ...], tuple[Failure, ...]]:
        """All references that may be followed, sorted, and a failure for each path that may not.

        *roles* are the distribution's own words for paths; only the operator's go before them.
        """
        refused = {path for path in self._named if not self._is_allowed(path)}
        return (
            tuple(
                _with_role(self._found[key], roles) for key in sorted(self._found) if key[3] not in refused
            ),
            tuple(Failure(Place(path), Reason.UNTRUSTED_REFERENCE) for path in sorted(refused)),
        )

    def _note(self, path: str, *, is_trusted: bool) -> None:
        self._named.add(path)
        if is_trusted:
            self._trusted.add(path)

    def _is_allowed(self, path: str) -> bool:
        return path in self._trusted or self.is_known(path)


def _with_role(reference: Reference, roles: Mapping[str, Role]) -> Reference:
    if reference.origin is Origin.OPERATOR:
        return reference
    return replace(reference, role=roles.get(reference.path, reference.role))


def authority_keys(references: Iterable[Reference]) -> Iterator[str]:
    """The private keys of CAs, which are never to be opened."""
    return (
        reference.path
        for reference in references
        if reference.part is Part.PRIVATE_KEY and reference.role in AUTHORITIES
    )


def _stronger(one: Reference, other: Reference) -> Reference:
    strongest = min(one, other, key=lambda reference: _STRENGTH[reference.origin])
    need = min(one.requirement, other.requirement, key=_NEED.__getitem__)
    return replace(strongest, requirement=need)
