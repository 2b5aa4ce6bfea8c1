"""The names under which a kubelet keeps its pairs (client-go ``util/certificate/certificate_store.go``)."""

import re
from typing import Final, NamedTuple

_NAME: Final = re.compile(r"kubelet-(client|server)-(current|\d{4}(?:-\d\d){5})\.pem")


class KubeletPair(NamedTuple):
    """What the name of a pair tells."""

    kind: str
    """``client`` or ``server``."""
    written: str
    """The moment of its writing, sortable; ``current`` for the link to the pair in use."""

    @property
    def is_current(self) -> bool:
        """It is the link."""
        return self.written == "current"

    @classmethod
    def of(cls, name: str) -> "KubeletPair | None":
        """Understand the name of a file; None where a kubelet gives no such name."""
        match = _NAME.fullmatch(name)
        return cls(match[1], match[2]) if match else None
