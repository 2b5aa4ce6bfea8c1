"""The numbers of the users and groups that a distribution's components run as."""

from collections.abc import Iterable

from exporter.discovery.distributions import Layout
from exporter.discovery.node_files import Documents

_LINES_LIMIT = 10_000
_FIELDS = 3


def uids_of(documents: Documents, layout: Layout) -> frozenset[int] | None:
    """Look the layout's users up in the host's passwd(5), a number stands for itself; None without it."""
    return _numbers(documents, "/etc/passwd", layout.users)


def gids_of(documents: Documents, layout: Layout) -> frozenset[int] | None:
    """Look the layout's groups up in the host's group(5); None without it."""
    return _numbers(documents, "/etc/group", layout.groups)


def _numbers(documents: Documents, path: str, wanted: Iterable[str]) -> frozenset[int] | None:
    numbers = {int(name) for name in wanted if name.isdecimal()}
    names = {name for name in wanted if not name.isdecimal()}
    content = documents.files.text(path) if names else b""
    if not isinstance(content, bytes):
        return None
    for line in content.decode(errors="replace").splitlines()[:_LINES_LIMIT]:
        fields = line.split(":")
        if len(fields) >= _FIELDS and fields[0] in names and fields[2].isascii() and fields[2].isdecimal():
            numbers.add(int(fields[2]))
    return frozenset(numbers)
