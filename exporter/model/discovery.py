"""What discovery hands to the scan: who uses which file, and where else to look."""

from dataclasses import dataclass

from exporter.model.document import Failure
from exporter.model.node import Node
from exporter.model.reference import Reference
from exporter.model.role import Role


@dataclass(frozen=True, slots=True, kw_only=True)
class Search:
    """Files to look at although nothing may name them."""

    pattern: str
    """An absolute glob below the host root; ``**`` matches any number of directories."""
    role: Role | None = None
    """What the operator says they are; None to tell from references and content."""
    is_operators: bool = False
    """Named by the operator: all matches are in use."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Reading:
    """What one source did in one scan."""

    source: str
    is_up: bool
    documents: int
    seconds: float
    last_success: float | None
    """Unix time of the last scan in which it was up."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Discovery:
    """Everything the node's own configuration tells."""

    node: Node
    references: tuple[Reference, ...] = ()
    searches: tuple[Search, ...] = ()
    directories: tuple[str, ...] = ()
    """Directories whose change changes what is found: manifests, kubelet drop-ins, units."""
    failures: tuple[Failure, ...] = ()
    """Configuration documents that could not be read or understood."""
