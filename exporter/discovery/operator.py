"""What the operator asks to be watched: always in use, whatever else names it."""

from collections.abc import Sequence
from dataclasses import replace

from exporter.discovery.kubeconfigs import Named, follow
from exporter.discovery.node_files import Documents, absolute
from exporter.discovery.references import References
from exporter.model import File, Origin, Part, Reference, Requirement, Role, Search

_WILD = frozenset("*?[")


def operator_references(
    documents: Documents, references: References, watch: Sequence[Search]
) -> tuple[Search, ...]:
    """Note each file that a pattern matches, and the file itself where the pattern is a plain path."""
    searches = []
    for search in watch:
        pattern = absolute(search.pattern)
        if pattern is None:
            continue
        searches.append(replace(search, pattern=pattern, is_operators=True))
        is_plain = not _WILD & set(pattern)
        matches = documents.files.match(searches[-1])
        for path in matches or ((pattern,) if is_plain else ()):
            if references.is_private_key(path):
                part: Part | None = Part.PRIVATE_KEY
            else:
                part = _part(documents.files.file(path)) or (Part.CERTIFICATE if is_plain else None)
            if part is not None:
                _add(references, searches[-1], part, path, is_plain=is_plain)
            if part is Part.KUBECONFIG:
                role = search.role or Role.OTHER
                named = Named(
                    component="operator",
                    setting=pattern,
                    role=role,
                    inside=path,
                    path=path,
                    locate=absolute,
                )
                follow(documents, references, named)
    return tuple(searches)


def _add(references: References, search: Search, part: Part, path: str, *, is_plain: bool) -> None:
    references.add(
        Reference(
            component="operator",
            setting=search.pattern,
            part=part,
            role=search.role or Role.OTHER,
            path=path,
            origin=Origin.OPERATOR,
            requirement=Requirement.REQUIRED if is_plain else Requirement.OPTIONAL,
        )
    )


def _part(file: File) -> Part | None:
    """What a matched file is; None for one that has nothing to do with certificates."""
    content = file.content
    if content.kubeconfig is not None:
        return Part.KUBECONFIG
    if content.certificates or content.failures:
        return Part.CERTIFICATE
    return Part.PRIVATE_KEY if content.keys else None
