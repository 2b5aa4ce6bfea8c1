"""Whether anybody but its component can read, replace or copy a file of the PKI (CIS 1.1 and 4.1)."""

from collections.abc import Iterator
from posixpath import dirname
from typing import Final

from exporter.checks.check import Objection, check, file_check
from exporter.checks.copies import copied_keys
from exporter.checks.design import design_of, is_owner_expected, key_mode
from exporter.checks.secrets import holds_authority_key, holds_secret
from exporter.model import File, Inventory, Place, Role, Severity, State

_GROUP: Final = 0o070
_WRITE: Final = 0o022
_STICKY: Final = 0o1000
WRITABLE: Final = "lets others write it"
BESIDE_AUTHORITY: Final = "holds a private key beside the certificate of a CA"
"""How a detail ends where another repair is needed than for the check's usual defect."""
_CIS = "CIS Kubernetes Benchmark 1.12"


@file_check(severity=Severity.CRITICAL, cites=f"{_CIS}, 1.1.13 to 1.1.21 and 4.1.5 to 4.1.8")
def mode_loose(file: File, inventory: Inventory) -> Iterator[Objection]:
    """Others than its owner can read a private key or token, or write a file that something trusts."""
    status = file.status
    if status is None:
        return
    allowed, mode = key_mode(status, inventory.node), status.permissions & 0o777
    if holds_secret(file, inventory):
        if mode & ~allowed:
            yield _objection(file, inventory, f"mode {mode:04o}, no looser than {allowed:04o} is safe")
    elif inventory.uses_of(file.path) and mode & _WRITE & ~allowed:
        yield _objection(file, inventory, f"mode {mode:04o} {WRITABLE}")


@file_check(severity=Severity.WARNING, cites=f"{_CIS}, 1.1.14 to 1.1.19 and 4.1.6")
def owner_unexpected(file: File, inventory: Inventory) -> Iterator[Objection]:
    """A user or group that is neither root's nor the components' has a file of the PKI."""
    status, node = file.status, inventory.node
    if status is None or not inventory.uses_of(file.path):
        return
    design = design_of(node.distribution)
    if not is_owner_expected(status, node):
        yield _objection(file, inventory, f"owned by uid {status.uid}")
    elif (
        status.gid > design.highest_owner
        and status.gid not in node.component_groups
        and not design.has_own_group
        and status.permissions & _GROUP & design.key_mode
        and holds_secret(file, inventory)
    ):
        yield _objection(file, inventory, f"group {status.gid} has access")


@check(severity=Severity.CRITICAL, cites=f"{_CIS}, 1.1.19; CWE-732")
def directory_writable(inventory: Inventory) -> Iterator[Objection]:
    """Others than root can replace a file of the PKI, since they can write a directory on the way to it."""
    design = design_of(inventory.node.distribution)
    for path in sorted(_directories_in_use(inventory)):
        status = inventory.directories[path]
        writable = status.permissions & _WRITE & ~design.directory_mode
        if not is_owner_expected(status, inventory.node):
            yield _on_directory(path, f"owned by uid {status.uid}, who can replace what is in it")
        elif writable and not status.permissions & _STICKY:
            yield _on_directory(path, f"mode {status.permissions:04o} lets others replace what is in it")


def _directories_in_use(inventory: Inventory) -> set[str]:
    """Every directory on the way to a file that something names."""
    found: set[str] = set()
    for file in inventory.shown_files():
        if file.status is None or not inventory.uses_of(file.path):
            continue
        for start in (file.path, file.status.resolved):
            directory = dirname(start)
            while directory not in found and directory != "/":
                found.add(directory)
                directory = dirname(directory)
    return found & inventory.directories.keys()


def _on_directory(path: str, detail: str) -> Objection:
    return Objection(place=Place(path), role=Role.OTHER, state=State.IN_USE, detail=detail)


@check(
    severity=Severity.WARNING,
    cites="NIST SP 800-57 part 1, 8.1.5; CIS Kubernetes Benchmark 1.12, 1.1.21",
    waits=True,
)
def private_key_copied(inventory: Inventory) -> Iterator[Objection]:
    """A second file holds the private key of a certificate in use, out of its place or easier to read."""
    for path, original in sorted(copied_keys(inventory).items()):
        yield _objection(inventory.files[path], inventory, f"holds the private key of {original}")
    for file in inventory.shown_files():
        status = file.status
        is_tight = status is not None and not status.permissions & 0o777 & ~key_mode(status, inventory.node)
        if is_tight and holds_authority_key(file, inventory):
            yield _objection(file, inventory, BESIDE_AUTHORITY)


@check(
    severity=Severity.WARNING,
    cites="kubeadm cmd/phases/join/kubelet.go; CIS Kubernetes Benchmark 1.12, 3.1.1",
    waits=True,
)
def bootstrap_kubeconfig_left(inventory: Inventory) -> Iterator[Objection]:
    """The kubeconfig with the token by which the node joined is still there."""
    kubelet, node = inventory.node.kubelet, inventory.node
    path = kubelet.bootstrap_kubeconfig
    file = inventory.files.get(path)
    if not path or file is None or file.status is None or design_of(node.distribution).keeps_bootstrap:
        return
    kubeconfig = file.content.kubeconfig
    has_token = kubeconfig is not None and any(user.holds_secret for user in kubeconfig.users)
    if has_token and inventory.at(f"{kubelet.certificate_directory}/kubelet-client-current.pem"):
        yield _objection(file, inventory, "its bootstrap token is no longer needed, kubeadm removes it")


def _objection(file: File, inventory: Inventory, detail: str) -> Objection:
    occurrences = inventory.at(file.path)
    references = inventory.uses_of(file.path)
    role = occurrences[0].role if occurrences else references[0].role if references else Role.OTHER
    state = occurrences[0].state if occurrences else State.IN_USE if references else State.UNREFERENCED
    return Objection(place=Place(file.path), role=role, state=state, detail=detail)
