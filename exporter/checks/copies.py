"""Where the private key of something in use lies a second time."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from posixpath import dirname

from exporter.checks.design import design_of, is_among
from exporter.model import File, Inventory, Origin, Part, SpkiHash, State

_READABLE = 0o077


@dataclass(frozen=True, slots=True)
class _Original:
    path: str
    permissions: int


def copied_keys(inventory: Inventory) -> Mapping[str, str]:
    """Map each copy that is out of its place, or looser than its original, to the original's path.

    In place is what lies below a directory of certificates, or beside a kubeconfig; what kubeadm leaves in
    ``/etc/kubernetes/tmp`` is neither.
    """
    originals = _originals(inventory)
    design = design_of(inventory.node.distribution)
    configured = [use for use in inventory.references if use.origin is not Origin.OPERATOR]
    beside = frozenset(dirname(use.path) for use in configured)
    below = frozenset(dirname(use.path) for use in configured if use.part is not Part.KUBECONFIG)
    copies = {}
    for file in inventory.shown_files():
        if file.status is None or _is_configured(file, inventory) or is_among(file.path, design.copies):
            continue
        for spki in _private_keys(file):
            original = originals.get(spki)
            if original is None:
                continue
            is_looser = file.status.permissions & ~original.permissions & _READABLE
            is_in_place = dirname(file.path) in beside or not below.isdisjoint(_directories_above(file.path))
            if is_looser or not is_in_place:
                copies[file.path] = original.path
    return copies


def _originals(inventory: Inventory) -> Mapping[SpkiHash, _Original]:
    """The loosest file for each key among those that the node's own configuration names.

    A CA's key is not opened, so that its certificate stands for it.
    """
    allowed = design_of(inventory.node.distribution).key_mode
    found = {
        occurrence.certificate.spki_sha256: _Original(occurrence.place.path, allowed)
        for occurrence in reversed(inventory.occurrences)
        if occurrence.certificate.is_ca and occurrence.state is State.IN_USE
    }
    for file in inventory.shown_files():
        if file.status is None or not _is_configured(file, inventory):
            continue
        for spki in _private_keys(file):
            known = found.get(spki)
            if known is None or known.permissions < file.status.permissions:
                found[spki] = _Original(file.path, file.status.permissions)
    return found


def _directories_above(path: str) -> Iterator[str]:
    while (directory := dirname(path)) != path:
        yield directory
        path = directory


def _is_configured(file: File, inventory: Inventory) -> bool:
    return any(reference.origin is not Origin.OPERATOR for reference in inventory.uses_of(file.path))


def _private_keys(file: File) -> Iterator[SpkiHash]:
    return (key.spki_sha256 for key in file.content.keys if key.is_private and key.spki_sha256 is not None)
