"""A recorded node to change in one respect, and what the program finds on it afterwards."""

import re
import warnings
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import serialization
from cryptography.utils import CryptographyDeprecationWarning

from exporter.demo.pki import Issued, PrivateKey, make_ca, make_leaf, private_pem
from exporter.host import Host
from exporter.model import Inventory, Search
from exporter.report.verdict import missing_paths
from exporter.scan import Scanner
from exporter.settings import Settings

NOW = datetime(2026, 11, 24, 9, 0, tzinfo=UTC)
PKI = "/etc/kubernetes/pki"
KUBELET_PKI = "/var/lib/kubelet/pki"
MANIFESTS = "/etc/kubernetes/manifests"


@dataclass(frozen=True, slots=True)
class Tree:
    """A node's files below a root."""

    root: Path

    def at(self, path: str) -> Path:
        """The file that the host knows under a path."""
        return self.root / path.lstrip("/")

    def read(self, path: str) -> bytes:
        """What a file holds."""
        return self.at(path).read_bytes()

    def write(self, path: str, content: bytes | str, mode: int = 0o600) -> None:
        """Write a file in place, its directories too."""
        target = self.at(path)
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_bytes(content if isinstance(content, bytes) else content.encode())
        target.chmod(mode)

    def edit(self, path: str, pattern: str, replacement: str) -> None:
        """Replace what a pattern matches in a text file; it has to match."""
        text, count = re.subn(pattern, replacement, self.read(path).decode(), flags=re.MULTILINE)
        assert count, f"{pattern!r} is not in {path}"
        self.at(path).write_text(text)

    def flag(self, component: str, name: str, *values: str) -> None:
        """Set a flag in a static Pod manifest to these values; to none removes it."""
        lines = "".join(f"\n    - --{name}={value}" if value else f"\n    - --{name}" for value in values)
        path = f"{MANIFESTS}/{component}.yaml"
        text = re.sub(rf"\n    - --{name}(=.*)?(?=\n)", "", self.read(path).decode())
        self.at(path).write_text(text.replace(f"\n    - {component}\n", f"\n    - {component}{lines}\n", 1))

    def certificate(self, path: str) -> x509.Certificate:
        """The first certificate of a file; k3s' CAs have the serial number 0, which the library warns of."""
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", CryptographyDeprecationWarning)
            return x509.load_pem_x509_certificate(self.read(path))

    def authority(self, stem: str = f"{PKI}/ca") -> Issued:
        """A CA of the node with its key."""
        key = serialization.load_pem_private_key(self.read(f"{stem}.key"), None)
        return Issued(self.certificate(f"{stem}.crt"), key)  # type: ignore[arg-type]

    def reissue(  # noqa: PLR0913 - each argument is one deviation
        self,
        stem: str,
        ca: Issued,
        *,
        cn: str | None = None,
        organizations: Sequence[str] | None = None,
        usages: Sequence[str] | None = (),
        sans: Sequence[str] | None = None,
        key: PrivateKey | None = None,
        life: timedelta = timedelta(days=365),
    ) -> Issued:
        """Issue the leaf at *stem*.crt anew, as ``kubeadm certs renew`` does, apart from what is given."""
        old = self.certificate(f"{stem}.crt")
        issued = make_leaf(
            ca,
            cn if cn is not None else _common_name(old),
            now=NOW,
            organizations=_organizations(old) if organizations is None else organizations,
            usages=_usages(old) if usages == () else usages,
            sans=names_of(old) if sans is None else sans,
            key=key,
            life=life,
        )
        self.write(f"{stem}.key", private_pem(issued.key), 0o600)
        self.write(f"{stem}.crt", issued.pem, 0o644)
        return issued


@dataclass(frozen=True, slots=True, kw_only=True)
class Seen:
    """What the program says of a node: everything an operator would have to look at."""

    inventory: Inventory
    findings: frozenset[tuple[str, str, str]]
    """Check, path and entry."""
    failures: frozenset[tuple[str, str]]
    """Reason and path."""
    missing: frozenset[str]


@dataclass(slots=True)
class Watcher:
    """Looks at a node again and again, with a clock that moves only when told."""

    root: Path
    watch: tuple[str, ...] = ()
    match_keys: bool = True
    now: float = 0.0
    _scanner: Scanner = field(init=False)

    def __post_init__(self) -> None:
        self._scanner = Scanner(
            settings=Settings(
                host_root=str(self.root),
                match_keys=self.match_keys,
                watch=tuple(Search(pattern=pattern, is_operators=True) for pattern in self.watch),
            ),
            host=Host(str(self.root)),
            clock=NOW.timestamp,
            monotonic=lambda: self.now,
        )

    def look(self) -> Seen:
        """Look once."""
        picture = self._scanner.scan().picture
        return Seen(
            inventory=picture.inventory,
            findings=frozenset(
                (found.check, found.place.path, found.place.entry) for found in picture.findings
            ),
            failures=frozenset((found.reason, found.place.path) for found in picture.inventory.failures),
            missing=frozenset(missing_paths(picture.inventory)),
        )

    def look_twice(self) -> Seen:
        """Look, and look again when bad news is due."""
        self.look()
        self.now += 1.1
        return self.look()


Mutation = Callable[[Tree], object]


@dataclass(frozen=True, slots=True, kw_only=True)
class Scenario:
    """One change to one recorded node, and exactly what it makes the program say."""

    name: str
    tree: str
    mutate: Mutation
    findings: frozenset[tuple[str, str, str]] = frozenset()
    failures: frozenset[tuple[str, str]] = frozenset()
    missing: frozenset[str] = frozenset()
    watch: tuple[str, ...] = ()
    """What the operator asks for besides."""


def scenario(name: str, tree: str, mutate: Mutation, *findings: tuple[str, ...], **more: object) -> Scenario:
    """Write a row: a finding is (check, path) or (check, path, entry)."""
    full = frozenset((check, path, entry[0] if entry else "") for check, path, *entry in findings)
    return Scenario(name=name, tree=tree, mutate=mutate, findings=full, **more)  # type: ignore[arg-type]


def renewed(old: Issued, *, life: timedelta = timedelta(days=3650)) -> Issued:
    """A CA of the same name and key, as one extends its life."""
    return make_ca(old.certificate.subject, now=NOW, key=old.key, life=life)


def replaced(old: Issued) -> Issued:
    """A CA of the same name with a new key, as a rotation makes it."""
    return make_ca(old.certificate.subject, now=NOW)


def new_ca(cn: str = "kubernetes") -> Issued:
    """A CA that nothing on the node knows."""
    return make_ca(cn, now=NOW)


def _common_name(certificate: x509.Certificate) -> str:
    return str(certificate.subject.get_attributes_for_oid(x509.NameOID.COMMON_NAME)[0].value)


def _organizations(certificate: x509.Certificate) -> tuple[str, ...]:
    found = certificate.subject.get_attributes_for_oid(x509.NameOID.ORGANIZATION_NAME)
    return tuple(str(attribute.value) for attribute in found)


def _usages(certificate: x509.Certificate) -> tuple[str, ...] | None:
    names = {"1.3.6.1.5.5.7.3.1": "serverAuth", "1.3.6.1.5.5.7.3.2": "clientAuth"}
    try:
        extension = certificate.extensions.get_extension_for_class(x509.ExtendedKeyUsage)
    except x509.ExtensionNotFound:
        return None
    return tuple(names[usage.dotted_string] for usage in extension.value)


def names_of(certificate: x509.Certificate) -> tuple[str, ...]:
    """Its subject alternative names."""
    try:
        extension = certificate.extensions.get_extension_for_class(x509.SubjectAlternativeName)
    except x509.ExtensionNotFound:
        return ()
    return tuple(str(name.value) for name in extension.value)
