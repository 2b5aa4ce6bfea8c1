"""The numbers of the users that a distribution's components run as."""

from exporter.discovery.distributions import Layout
from exporter.discovery.node_files import Documents

_LINES_LIMIT = 10_000
_FIELDS = 3


def uids_of(documents: Documents, layout: Layout) -> frozenset[int]:
    """Look the layout's users up in the host's passwd(5); a number stands for itself."""
    numbers = {int(user) for user in layout.users if user.isdecimal()}
    names = {user for user in layout.users if not user.isdecimal()}
    content = documents.files.text("/etc/passwd") if names else b""
    if isinstance(content, bytes):
        for line in content.decode(errors="replace").splitlines()[:_LINES_LIMIT]:
            fields = line.split(":")
            if (
                len(fields) >= _FIELDS
                and fields[0] in names
                and fields[2].isascii()
                and fields[2].isdecimal()
            ):
                numbers.add(int(fields[2]))
    return frozenset(numbers)
