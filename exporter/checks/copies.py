"""Where the private key of something in use lies a second time."""

from collections.abc import Iterator, Mapping
from posixpath import dirname

from exporter.checks.design import design_of, is_among
from exporter.model import File, FileStatus, Inventory, Origin, SpkiHash

_READABLE = 0o077


def copied_keys(inventory: Inventory) -> Mapping[str, str]:
    """Map each copy that is out of its place, or looser than its original, to the original's path."""
    originals = _originals(inventory)
    design = design_of(inventory.node.distribution)
    copies = {}
    for file in inventory.shown_files():
        status = file.status
        if status is None or _is_configured(file, inventory) or is_among(file.path, design.copies):
            continue
        for spki in _private_keys(file):
            original = originals.get(spki)
            if original is not None and _is_worse(status, original, inventory):
                copies[file.path] = original.path
    return copies


def _originals(inventory: Inventory) -> Mapping[SpkiHash, FileStatus]:
    """The loosest file for each key among those that the node's own configuration names."""
    found: dict[SpkiHash, FileStatus] = {}
    for file in inventory.shown_files():
        if file.status is None or not _is_configured(file, inventory):
            continue
        for spki in _private_keys(file):
            known = found.get(spki)
            if known is None or known.permissions < file.status.permissions:
                found[spki] = file.status
    return found


def _is_worse(copy: FileStatus, original: FileStatus, inventory: Inventory) -> bool:
    is_looser = bool(copy.permissions & ~original.permissions & _READABLE)
    return is_looser or not any(
        copy.path.startswith(f"{directory}/") for directory in _pki_directories(inventory)
    )


def _pki_directories(inventory: Inventory) -> frozenset[str]:
    return frozenset(
        dirname(reference.path)
        for reference in inventory.references
        if reference.origin is not Origin.OPERATOR
    )


def _is_configured(file: File, inventory: Inventory) -> bool:
    return any(reference.origin is not Origin.OPERATOR for reference in inventory.uses_of(file.path))


def _private_keys(file: File) -> Iterator[SpkiHash]:
    return (key.spki_sha256 for key in file.content.keys if key.is_private and key.spki_sha256 is not None)
