"""Which files hold something that must stay secret."""

from exporter.model import File, Inventory, Part
from exporter.parsing.keys import is_authority_key_path, is_private_key_path

_PUBLIC_TOO = "service-account-key-file"
"""May name a public key (kubernetes ``pkg/kubeapiserver/options/authentication.go``)."""


def holds_secret(file: File, inventory: Inventory) -> bool:
    """The file holds a private key, token or password, or is known as a key that was not opened."""
    content = file.content
    users = content.kubeconfig.users if content.kubeconfig else ()
    if any(key.is_private for key in content.keys) or any(u.has_key_data or u.holds_secret for u in users):
        return True
    is_known = content.keys or content.certificates or content.kubeconfig is not None
    if is_known or file.path.endswith(".pub"):
        return False
    return (
        is_authority_key_path(file.path)
        or file.path.endswith(".key")
        or (file.is_closed and is_private_key_path(file.path))
        or any(
            reference.part is Part.PRIVATE_KEY and reference.setting != _PUBLIC_TOO
            for reference in inventory.uses_of(file.path)
        )
    )


def holds_authority_key(file: File, inventory: Inventory) -> bool:
    """The file of a CA's certificate, which everybody is given, holds a private key beside it.

    A leaf with its key may be followed by its CA, and what nothing names is whoever's own.
    """
    first = next(iter(file.content.certificates), None)
    is_given = any(use.part in {Part.TRUST, Part.CERTIFICATE} for use in inventory.uses_of(file.path))
    return (
        first is not None
        and first.certificate.is_ca
        and is_given
        and any(key.is_private and key.entry == first.entry for key in file.content.keys)
    )
