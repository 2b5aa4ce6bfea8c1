"""The bytes that a scrape gets: written once per change, with the live part behind them."""

import zlib
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace
from threading import Lock
from typing import Final, NamedTuple, Self

from exporter.exposition import live, negotiation
from exporter.exposition.rendering import NOTHING, Rendering, render
from exporter.exposition.report import Report
from exporter.exposition.status import Status

_FAST: Final = 1
"""A tenth more bytes than the default level for half of its processor time."""
_GZIP: Final = 16 + zlib.MAX_WBITS
"""How zlib is told to write a gzip header and trailer (``deflateInit2``)."""


class Body(NamedTuple):
    """An answer to a scrape."""

    content_type: str
    encoding: str
    """``gzip``, or empty for none."""
    content: bytes


class _Packed(NamedTuple):
    """The lines of an inventory, compressed, and the compressor in the state after them.

    A copy of it adds the live part to the same gzip member: curl and browsers read no second one.
    """

    content: bytes
    packer: "zlib._Compress"

    @classmethod
    def of(cls, chunks: Iterable[bytes]) -> Self:
        packer = zlib.compressobj(_FAST, wbits=_GZIP)
        content = b"".join(map(packer.compress, chunks))
        return cls(content + packer.flush(zlib.Z_SYNC_FLUSH), packer)

    def followed_by(self, end: bytes) -> bytes:
        packer = self.packer.copy()
        return b"".join((self.content, packer.compress(end), packer.flush()))


class Exposition:
    """One report in every form that clients ask for; immutable to its users, safe between threads.

    The plain lines are held once, for both formats; a compressed form is made when first asked for.
    """

    def __init__(
        self, report: Report, *, earlier: Rendering = NOTHING, packed: Mapping[bool, _Packed] | None = None
    ) -> None:
        """Write *report*, taking over what is unchanged since *earlier*."""
        self._rendering = render(report, earlier)
        is_same = self._rendering.blocks == earlier.blocks
        self._lock = Lock()
        self._packed = dict(packed) if packed and is_same else {}
        """By whether it is OpenMetrics."""

    def updated(self, report: Report) -> Self:
        """Write the next report; only what changed since this one is written anew."""
        return type(self)(report, earlier=self._rendering, packed=self._packed)

    def body(self, accept: str, accept_encoding: str, status: Status) -> Body:
        """Answer a scrape in the format and encoding that its headers ask for."""
        is_openmetrics = negotiation.takes_openmetrics(accept)
        content_type = negotiation.OPENMETRICS if is_openmetrics else negotiation.TEXT
        now = live.encode(status, is_openmetrics=is_openmetrics)
        if not negotiation.takes_gzip(accept_encoding):
            return Body(content_type, "", b"".join((*self._chunks(is_openmetrics=is_openmetrics), now)))
        with self._lock:
            if is_openmetrics not in self._packed:
                self._packed[is_openmetrics] = _Packed.of(self._chunks(is_openmetrics=is_openmetrics))
        return Body(content_type, "gzip", self._packed[is_openmetrics].followed_by(now))

    def textfile(self, status: Status) -> bytes:
        """Write text for node_exporter's textfile collector.

        Without ``process_*``: node_exporter has its own, and two of a name make it refuse both.
        """
        now = live.encode(replace(status, process={}), is_openmetrics=False)
        return b"".join((*self._chunks(is_openmetrics=False), now))

    def _chunks(self, *, is_openmetrics: bool) -> Iterator[bytes]:
        for block in self._rendering.blocks:
            if block.lines:
                yield block.family.header(is_openmetrics=is_openmetrics)
                yield block.lines
