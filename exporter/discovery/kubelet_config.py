"""The kubelet's configuration file with its drop-ins.

Drop-ins are merged as JSON merge patches in the order of their paths, and one that does not say what it is
stops the kubelet (Kubernetes ``cmd/kubelet/app/server.go``, ``mergeKubeletConfigurations``; RFC 7396). A
relative path in a file starts at that file (``pkg/kubelet/kubeletconfig/configfiles``).
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from posixpath import dirname, join

from exporter.discovery.node_files import Documents, text_at
from exporter.discovery.references import References
from exporter.model import Reason, Search

_PATHS = (
    ("tlsCertFile",),
    ("tlsPrivateKeyFile",),
    ("staticPodPath",),
    ("authentication", "x509", "clientCAFile"),
)
_DROP_INS_LIMIT = 100


@dataclass(frozen=True, slots=True)
class Named:
    """A path that a flag gives; empty where none does."""

    path: str = ""
    is_trusted: bool = True
    """Nobody but root can have written the flag."""


@dataclass(frozen=True, slots=True)
class Configuration:
    """What the kubelet's files say together."""

    document: object = None
    """None where nothing could be read."""
    is_trusted: bool = True
    """Only root can have written it all."""
    is_whole: bool = True
    """Every file of it was read, so that its silence says something."""


def configuration(
    documents: Documents, references: References, file: Named, directory: Named
) -> Configuration:
    """Merge a file and a directory of drop-ins."""
    merged: object = None
    is_trusted = is_whole = True
    for source, is_drop_in in _sources(documents, references, file, directory):
        document = None if source is None else _load(documents, source.path, is_drop_in=is_drop_in)
        if source is None or document is None:
            is_whole = False
            continue
        merged = _merged(merged, _absolute(document, dirname(source.path)))
        is_trusted = is_trusted and source.is_trusted and documents.is_trusted(source.path)
    return Configuration(merged, is_trusted, is_whole)


def _sources(
    documents: Documents, references: References, file: Named, directory: Named
) -> Iterator[tuple[Named | None, bool]]:
    """Yield each file and whether it is a drop-in; None stands for what may not be opened."""
    if file.path:
        yield file if references.may_open(file.path, is_trusted=file.is_trusted) else None, False
    if not directory.path:
        return
    if not references.may_open(directory.path, is_trusted=directory.is_trusted):
        yield None, True
        return
    documents.directories[directory.path] = None
    found = documents.files.match(Search(pattern=f"{directory.path}/**/*.conf"))
    yield from ((Named(path, directory.is_trusted), True) for path in sorted(set(found))[:_DROP_INS_LIMIT])


def _load(documents: Documents, path: str, *, is_drop_in: bool) -> object | None:
    document = documents.load(path)
    if document is not None and is_drop_in and text_at(document, "kind") != "KubeletConfiguration":
        documents.fail(path, Reason.MALFORMED_CONFIGURATION)
        return None
    return document


def _merged(base: object, patch: object) -> object:
    """Apply a JSON merge patch (RFC 7396): objects are merged, anything else is replaced, null removes."""
    if not isinstance(patch, Mapping):
        return patch
    result = dict(base) if isinstance(base, Mapping) else {}
    for key, value in patch.items():
        if value is None:
            result.pop(key, None)
        else:
            result[key] = _merged(result.get(key), value)
    return result


def _absolute(document: object, directory: str) -> object:
    """The document with each relative path in it made absolute."""
    patch: object = document
    for keys in _PATHS:
        if path := text_at(document, *keys):
            value: object = join(directory, path)
            for key in reversed(keys):
                value = {key: value}
            patch = _merged(patch, value)
    return patch
