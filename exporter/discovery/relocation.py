"""Distributions whose data the operator put somewhere else (``--data-dir`` of k3s, RKE2 and k0s)."""

from collections.abc import Iterator

from exporter.discovery.distributions import Layout, moved
from exporter.discovery.flags import parse_flags
from exporter.discovery.node_files import Documents, normalized, text_at
from exporter.discovery.units import is_enabled, service


def relocated(documents: Documents, layout: Layout) -> Layout:
    """Move a layout to where the node's own configuration says that its data is."""
    if not layout.data:
        return layout
    named = (normalized(directory) for directory in _named(documents, layout))
    usable = (path for path in named if path is not None and path != "/" and not any(map(str.isspace, path)))
    directory = next(usable, layout.data)
    return layout if directory == layout.data else moved(layout, directory)


def _named(documents: Documents, layout: Layout) -> Iterator[str]:
    """Yield what the services that are started at boot say, then what configuration files say."""
    for name in layout.services:
        started = service(documents, name) if is_enabled(documents, name) else None
        if started is not None and started.is_trusted:
            flags = parse_flags(started.words[1:])
            yield flags.last("data-dir") or flags.last("d")
    for path in layout.configurations:
        if documents.exists(path) and documents.is_trusted(path):
            yield text_at(documents.load(path), "data-dir")
