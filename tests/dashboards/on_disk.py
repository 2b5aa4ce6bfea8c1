"""The certificates of a node read from its files with none of the product's code."""

import base64
import json
import warnings
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import NamedTuple

import yaml
from cryptography import x509
from cryptography.hazmat.primitives import hashes


class Located(NamedTuple):
    """Where a certificate stands, as labels say it."""

    path: str
    entry: str = ""
    position: int = 0


def certificate_at(tree: Path, place: Located) -> x509.Certificate:
    """Read the certificate in one place."""
    return _certificates(_content(tree, place.path, place.entry))[place.position]


def leaves_in_use(tree: Path) -> Mapping[Located, x509.Certificate]:
    """Read every certificate that a server or client of a kubeadm node shows as its own."""
    found = dict(_in_use(tree))
    return {place: certificate for place, certificate in found.items() if not place.path.endswith("ca.crt")}


def authorities(tree: Path) -> set[str]:
    """Fingerprints of the CAs that a kubeadm node uses."""
    return {
        certificate.fingerprint(hashes.SHA256()).hex()
        for _, certificate in _in_use(tree)
        if is_authority(certificate)
    }


def is_authority(certificate: x509.Certificate) -> bool:
    """Whether it is a CA by its basic constraints."""
    return certificate.extensions.get_extension_for_class(x509.BasicConstraints).value.ca


def remaining(certificate: x509.Certificate, now: datetime) -> timedelta:
    """How long it is valid from now."""
    return certificate.not_valid_after_utc - now


def life(certificate: x509.Certificate) -> timedelta:
    """How long it is valid in all."""
    return certificate.not_valid_after_utc - certificate.not_valid_before_utc


def monday(certificate: x509.Certificate) -> str:
    """Name the first day (UTC) of the week in which it ends."""
    end = certificate.not_valid_after_utc.astimezone(UTC).date()
    return str(end - timedelta(days=end.weekday()))


def _in_use(tree: Path) -> Iterator[tuple[Located, x509.Certificate]]:
    for file in sorted(tree.glob("etc/kubernetes/pki/**/*.crt")):
        path = f"/{file.relative_to(tree)}"
        for position, certificate in enumerate(_certificates(file.read_bytes())):
            yield Located(path, "", position), certificate
    for name in ("admin", "super-admin", "controller-manager", "scheduler"):
        path = f"/etc/kubernetes/{name}.conf"
        user = yaml.safe_load((tree / path[1:]).read_text())["users"][0]["name"]
        place = Located(path, f"user/{user}")
        yield place, certificate_at(tree, place)
    for usage in ("client", "server"):
        place = Located(f"/var/lib/kubelet/pki/kubelet-{usage}-current.pem")
        yield place, certificate_at(tree, place)


def _content(tree: Path, path: str, entry: str) -> bytes:
    file = tree / path[1:]
    if file.is_symlink():
        target = file.readlink()
        file = tree / str(target)[1:] if target.is_absolute() else file
    content = file.read_bytes()
    if not entry:
        return content
    if path.endswith(".json"):
        return base64.b64decode(json.loads(content)["data"][entry])
    kind, _, name = entry.partition("/")
    kubeconfig = yaml.safe_load(content)
    (item,) = (each[kind] for each in kubeconfig[f"{kind}s"] if each["name"] == name)
    key = "client-certificate-data" if kind == "user" else "certificate-authority-data"
    return base64.b64decode(item[key])


def _certificates(content: bytes) -> list[x509.Certificate]:
    begin, end = b"-----BEGIN CERTIFICATE-----", b"-----END CERTIFICATE-----"
    blocks = [begin + block.partition(end)[0] + end for block in content.split(begin)[1:] if end in block]
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # the serial number of a k3s CA is 0
        return [x509.load_pem_x509_certificate(block) for block in blocks]
