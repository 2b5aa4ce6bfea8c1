"""Facts about files and references become one immutable inventory."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import datetime

from exporter.inventory.issuers import Issuers
from exporter.inventory.places import Placed, place_files
from exporter.inventory.roles import Roles
from exporter.inventory.trust import service_account_keys, trust_anchors
from exporter.model import (
    Discovery,
    File,
    FileStatus,
    Inventory,
    KubeletSettings,
    Occurrence,
    Place,
    PlacedFailure,
    Reading,
    Reason,
    Reference,
    Requirement,
    Role,
    State,
)

ROTATED_BY = 0.9
"""Share of its life by which a kubelet has rotated a certificate (client-go ``certificate_manager.go``)."""


def build(
    discovery: Discovery,
    files: Mapping[str, File],
    directories: Mapping[str, FileStatus],
    *,
    previous: Inventory | None,
    now: float,
    readings: tuple[Reading, ...] = (),
) -> Inventory:
    """Give each certificate one place, its role, its state, its issuers and when it really ends."""
    discovery = replace(discovery, references=tuple(_settled(discovery.references, files, previous)))
    placed = place_files(files, discovery)
    roles = Roles(placed, discovery)
    occurrences = tuple(
        sorted(_occurrences(placed, roles, discovery.node.kubelet), key=lambda found: found.place)
    )
    return Inventory(
        node=discovery.node,
        occurrences=occurrences,
        failures=tuple(_failures(placed, roles, discovery)),
        references=discovery.references,
        files=files,
        uses={file.path: file.references for file in placed.files},
        directories=directories,
        trust_anchors=trust_anchors(discovery.references, files),
        service_account_keys=service_account_keys(discovery.references, files),
        superseded=placed.superseded,
        last_changes=_last_changes(occurrences, previous, now),
        readings=readings,
    )


def _settled(
    references: tuple[Reference, ...], files: Mapping[str, File], previous: Inventory | None
) -> Iterator[Reference]:
    """What a component makes itself is needed from then on: its absence is no longer the beginning."""
    made = {
        reference.path
        for reference in (previous.references if previous else ())
        if reference.requirement is Requirement.REQUIRED
    }
    for reference in references:
        is_made = reference.path in made or _is_there(files.get(reference.path))
        if reference.requirement is Requirement.GENERATED and is_made:
            yield replace(reference, requirement=Requirement.REQUIRED)
        else:
            yield reference


def _is_there(file: File | None) -> bool:
    return file is not None and file.exists


@dataclass(frozen=True, slots=True)
class _Found:
    place: Place
    role: Role
    state: State


def _occurrences(placed: Placed, roles: Roles, kubelet: KubeletSettings) -> Iterator[Occurrence]:
    found = [
        (_Found(Place(file.path, item.entry, item.index), roles.role_of(file, item), file.state), item)
        for file in placed.files
        for item in file.content.certificates
    ]
    issuers = Issuers((item.certificate, place.role, place.state) for place, item in found)
    for where, item in found:
        certificate = item.certificate
        path = issuers.path_of(certificate)
        yield Occurrence(
            place=where.place,
            certificate=certificate,
            role=where.role,
            state=where.state,
            issuers=path.issuers,
            issuer_fingerprint=path.issuer_fingerprint,
            effective_not_after=path.effective_not_after,
            rotation_due=(
                _rotation_due(certificate.not_before, certificate.not_after)
                if where.place.path in _rotated_paths(kubelet) and not certificate.is_ca
                else None
            ),
        )


def _rotated_paths(kubelet: KubeletSettings) -> tuple[str, ...]:
    """The links that a running kubelet keeps at its newest pair (client-go ``certificate_store.go``)."""
    directory = kubelet.certificate_directory
    return (
        *([f"{directory}/kubelet-client-current.pem"] if kubelet.rotate_certificates else []),
        *([f"{directory}/kubelet-server-current.pem"] if kubelet.server_tls_bootstrap else []),
    )


def _rotation_due(not_before: datetime, not_after: datetime) -> datetime:
    return not_before + (not_after - not_before) * ROTATED_BY


def _failures(placed: Placed, roles: Roles, discovery: Discovery) -> Iterator[PlacedFailure]:
    """A missing file is no failure of a document: its reference says that it is absent."""
    for file in placed.files:
        for failure in file.content.failures:
            if failure.reason is not Reason.NOT_FOUND:
                yield PlacedFailure(
                    place=failure.place,
                    role=roles.role_of_file(file),
                    state=file.state,
                    reason=failure.reason,
                )
    known = {failure.place for file in placed.files for failure in file.content.failures}
    for failure in dict.fromkeys(discovery.failures):
        if failure.place not in known and failure.reason is not Reason.NOT_FOUND:
            yield PlacedFailure(
                place=failure.place, role=Role.OTHER, state=State.IN_USE, reason=failure.reason
            )


def _last_changes(
    occurrences: tuple[Occurrence, ...], previous: Inventory | None, now: float
) -> Mapping[str, float]:
    """Note each path whose certificates differ from those of the inventory before."""
    if previous is None:
        return {}
    before, after = _contents(previous.occurrences), _contents(occurrences)
    return {
        path: changed
        for path, contents in after.items()
        if (changed := now if contents != before.get(path) else previous.last_changes.get(path)) is not None
    }


def _contents(occurrences: tuple[Occurrence, ...]) -> dict[str, set[tuple[Place, str]]]:
    contents: dict[str, set[tuple[Place, str]]] = {}
    for occurrence in occurrences:
        contents.setdefault(occurrence.place.path, set()).add(
            (occurrence.place, occurrence.certificate.fingerprint)
        )
    return contents
