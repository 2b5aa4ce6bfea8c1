"""Files of a host: what they are, what they hold, and why they could not be read."""

import stat
from dataclasses import dataclass, field
from enum import StrEnum

from exporter.model.certificate import Certificate, SpkiHash
from exporter.model.kubeconfig import Kubeconfig
from exporter.model.place import Place


class Reason(StrEnum):
    """Why a place yielded nothing; a label value, so a closed set."""

    NOT_FOUND = "not_found"
    PERMISSION_DENIED = "permission_denied"
    NOT_REGULAR = "not_regular"
    """A directory, device, FIFO or socket where a file was expected."""
    TOO_LARGE = "too_large"
    TOO_MANY_FILES = "too_many_files"
    LINK_LOOP = "link_loop"
    FORBIDDEN_DIRECTORY = "forbidden_directory"
    """Below /proc, /sys, /dev or /run/secrets."""
    UNTRUSTED_REFERENCE = "untrusted_reference"
    """Named only by evidence that a non-root user can write, outside every known PKI directory."""
    MOUNT_STALE = "mount_stale"
    """The mount shows what the host has replaced: link count 0."""
    IO_ERROR = "io_error"
    NO_CERTIFICATE = "no_certificate"
    """Readable, but a certificate was expected and none is there."""
    MALFORMED_PEM = "malformed_pem"
    MALFORMED_CERTIFICATE = "malformed_certificate"
    MALFORMED_KEY = "malformed_key"
    """Readable, but a key was expected and nothing there can be used as one."""
    MALFORMED_KUBECONFIG = "malformed_kubeconfig"
    MALFORMED_CONFIGURATION = "malformed_configuration"
    """A manifest, kubelet configuration or argument file that its reader would refuse."""
    TOO_MANY_CERTIFICATES = "too_many_certificates"


@dataclass(frozen=True, slots=True, kw_only=True)
class FileStatus:
    """What fstat says of the one descriptor a file was read by."""

    path: str
    """As named, before links."""
    resolved: str
    """After links, below the host root; equal to ``path`` where there was none."""
    device: int
    inode: int
    mode: int
    """st_mode, type bits included."""
    uid: int
    gid: int
    size: int
    links: int
    mtime_ns: int
    ctime_ns: int
    is_link: bool = False
    """The last component of ``path`` is a symbolic link."""

    @property
    def permissions(self) -> int:
        """The twelve permission bits."""
        return stat.S_IMODE(self.mode)

    @property
    def version(self) -> tuple[int, int, int, int, int]:
        """Equal while the content is unchanged."""
        return (self.device, self.inode, self.size, self.mtime_ns, self.ctime_ns)


@dataclass(frozen=True, slots=True, kw_only=True)
class Document:
    """Bytes found at a path, not yet interpreted."""

    path: str
    content: bytes = field(repr=False)
    """May hold a private key."""


@dataclass(frozen=True, slots=True)
class Failure:
    """A place that could not be read or understood."""

    place: Place
    reason: Reason


@dataclass(frozen=True, slots=True)
class Embedded:
    """A certificate inside a document."""

    entry: str
    index: int
    certificate: Certificate


@dataclass(frozen=True, slots=True)
class PublicKey:
    """The public half of a key block; its private half was dropped at once."""

    entry: str
    spki_sha256: SpkiHash | None
    """None where it was not decoded: encrypted, of an unknown kind, malformed, or beside a CA certificate."""
    is_private: bool
    is_malformed: bool = False
    """It was looked at, and is cut off or nothing that any program takes for a key."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Content:
    """What one document holds."""

    certificates: tuple[Embedded, ...] = ()
    failures: tuple[Failure, ...] = ()
    keys: tuple[PublicKey, ...] = ()
    kubeconfig: Kubeconfig | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class File:
    """A file of the host with its content, or with the reason why there is none."""

    path: str
    status: FileStatus | None
    """None where it could not be opened."""
    content: Content = field(default_factory=Content)
    is_closed: bool = False
    """A private key that must not be opened: only its status is known."""

    @property
    def exists(self) -> bool:
        """False only where nothing is at the path."""
        return self.status is not None or not any(
            failure.reason is Reason.NOT_FOUND for failure in self.content.failures
        )
