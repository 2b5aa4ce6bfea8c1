"""Keeps the rules in force equal to the web configuration file and to the files that it names."""

import logging
import os
import stat
import threading
import time
from pathlib import PurePath
from typing import Final, NoReturn

from exporter.parsing import yaml
from exporter.server.auth import Passwords
from exporter.server.protection import Limiter, Protection, Tls, canonical
from exporter.server.web_schema import TlsSettings, WebSettings, read_settings
from exporter.server.web_values import ConfigurationError

logger = logging.getLogger(__name__)

CHECK_SECONDS: Final = 1.0
"""How old what is known of the files may be."""
MAX_SIZE: Final = 1 << 20

Version = tuple[int, int, int, int, int]
"""Device, inode, size, mtime and ctime; equal while the content is."""


class WebConfig:
    """Reads the file at start, and again when it or a file it names changes; a broken one is kept out."""

    def __init__(self, path: str | None = None) -> None:
        """Load it; an empty path means no protection. Raises ConfigurationError."""
        self.path = path or ""
        self.reload_successful = True
        self._lock = threading.Lock()
        self._protection = Protection()
        self._versions: dict[str, Version | None] = {}
        if self.path:
            versions: dict[str, Version | None] = {}
            self._protection = _load(self.path, versions)
            self._versions = versions
        self.last_reload_success = time.time()
        self._checked = time.monotonic()

    def current(self) -> Protection:
        """The rules in force; looks at the files at most once a second, in the calling thread."""
        if (
            self.path
            and time.monotonic() - self._checked >= CHECK_SECONDS
            and self._lock.acquire(blocking=False)
        ):
            try:
                self._checked = time.monotonic()
                if {path: _version(path) for path in self._versions} != self._versions:
                    self._reload()
            finally:
                self._lock.release()
        return self._protection

    def _reload(self) -> None:
        versions: dict[str, Version | None] = {}
        try:
            self._protection = _load(self.path, versions, may_be_empty=not self._protection.guards)
        except ConfigurationError as error:
            self.reload_successful = False
            logger.warning("web configuration refused, the old one stays", extra={"reason": str(error)})
            # What is broken may be a file that only the old configuration, still in force, does not name.
            self._versions = {path: _version(path) for path in self._versions} | versions
            return
        self._versions = versions
        self.reload_successful = True
        self.last_reload_success = time.time()
        logger.info("web configuration loaded", extra={"path": self.path})


def _load(path: str, versions: dict[str, Version | None], *, may_be_empty: bool = True) -> Protection:
    """Read everything, leaving in *versions* what each file was; raises ConfigurationError."""
    try:
        content = _content(path, versions)
        document = yaml.load(content)
        if document is None:
            if _says_something(content):
                _fail("is not YAML, or too large")
            if not may_be_empty:  # who rewrites a file in place empties it first
                _fail("is empty; {} would switch TLS and passwords off")
            document = {}
        settings = read_settings(document)
        return _protection(settings, path, versions)
    except ConfigurationError as error:
        message = f"{path}: {error}"
        raise ConfigurationError(message) from error


def _protection(settings: WebSettings, path: str, versions: dict[str, Version | None]) -> Protection:
    tls = settings.tls
    return Protection(
        tls=_endpoint(tls, path, versions) if tls else None,
        requires_certificate=tls is not None and tls.client_auth_type == "RequireAndVerifyClientCert",
        allowed_sans=frozenset(map(canonical, tls.client_allowed_sans)) if tls else frozenset(),
        passwords=Passwords(settings.users) if settings.users else None,
        limiter=Limiter(settings.rate_interval, settings.rate_burst) if settings.rate_interval else None,
        headers=settings.headers,
    )


def _endpoint(tls: TlsSettings, path: str, versions: dict[str, Version | None]) -> Tls:
    from exporter.server.tls import Endpoint, Material  # noqa: PLC0415 - 4 MB, for those who ask for TLS

    def pem(inline: str, named: str, key: str) -> bytes:
        if not named:
            return inline.encode()
        try:
            return _content(str(PurePath(path).parent / named), versions)
        except ConfigurationError as error:
            message = f"tls_server_config.{key}: {error}"
            raise ConfigurationError(message) from error

    material = Material(
        certificate=pem(tls.cert, tls.cert_file, "cert_file"),
        key=pem(tls.key, tls.key_file, "key_file"),
        client_ca=pem(tls.client_ca, tls.client_ca_file, "client_ca_file"),
    )
    return Endpoint(tls, material)


def _content(path: str, versions: dict[str, Version | None]) -> bytes:
    versions[path] = None
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC | os.O_NONBLOCK)
    except (OSError, ValueError) as error:
        _fail(f"{path!r} cannot be read: {getattr(error, 'strerror', None) or error}")
    with open(descriptor, "rb") as file:  # noqa: PTH123 - the descriptor is what was looked at
        status = os.fstat(descriptor)
        if not stat.S_ISREG(status.st_mode) or status.st_size > MAX_SIZE:
            _fail(f"{path!r} is no regular file of at most 1 MiB")
        versions[path] = _of(status)
        try:
            return file.read(MAX_SIZE)
        except OSError as error:
            _fail(f"{path!r} cannot be read: {error.strerror}")


def _version(path: str) -> Version | None:
    try:
        return _of(os.stat(path))  # noqa: PTH116 - a path from the operator, links followed
    except (OSError, ValueError):
        return None


def _of(status: os.stat_result) -> Version:
    return (status.st_dev, status.st_ino, status.st_size, status.st_mtime_ns, status.st_ctime_ns)


def _says_something(content: bytes) -> bool:
    return any(line.strip() and not line.lstrip().startswith(b"#") for line in content.splitlines())


def _fail(message: str) -> NoReturn:
    raise ConfigurationError(message)
