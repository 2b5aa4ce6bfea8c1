"""The kubelet's configuration file with its drop-ins.

Drop-ins are merged as JSON merge patches in the order of their paths, and one that does not say what it is
stops the kubelet (Kubernetes ``cmd/kubelet/app/server.go``, ``mergeKubeletConfigurations``; RFC 7396). A
relative path in a file starts at that file (``pkg/kubelet/kubeletconfig/configfiles``).
"""

from collections.abc import Iterator, Mapping
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


def configuration(
    documents: Documents, references: References, file: str, directory: str, *, is_trusted: bool
) -> tuple[object, bool]:
    """Merge a file and a directory of drop-ins, either empty where there is none.

    None where nothing could be read; and whether only root can have written it all.
    """
    merged: object = None
    may_trust = is_trusted
    for path, is_drop_in in _sources(documents, file, directory):
        if not references.may_open(path, is_trusted=is_trusted):
            continue
        document = documents.load(path)
        if document is None:
            continue
        if is_drop_in and text_at(document, "kind") != "KubeletConfiguration":
            documents.fail(path, Reason.MALFORMED_CONFIGURATION)
            continue
        merged = _merged(merged, _absolute(document, dirname(path)))
        may_trust = may_trust and documents.is_trusted(path)
    return merged, may_trust


def _sources(documents: Documents, file: str, directory: str) -> Iterator[tuple[str, bool]]:
    if file:
        yield file, False
    if directory:
        documents.directories[directory] = None
        found = documents.files.match(Search(pattern=f"{directory}/**/*.conf"))
        yield from ((path, True) for path in sorted(set(found))[:_DROP_INS_LIMIT])


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
