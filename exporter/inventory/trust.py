"""Whom each component trusts, and which keys its service account tokens hang on."""

from collections.abc import Iterator, Mapping

from exporter.model import File, Part, Reference, ServiceAccountKey, TrustAnchor

SERVICE_ACCOUNT_SETTINGS = frozenset(
    {"service-account-key-file", "service-account-signing-key-file", "service-account-private-key-file"}
)


def trust_anchors(references: tuple[Reference, ...], files: Mapping[str, File]) -> tuple[TrustAnchor, ...]:
    """List each CA once for every setting that trusts it: trust files, and clusters of kubeconfigs."""
    found = {
        (anchor.component, anchor.setting, anchor.path, anchor.entry, anchor.certificate): anchor
        for reference in references
        for anchor in _anchors(reference, files.get(reference.path))
    }
    return tuple(found.values())


def _anchors(reference: Reference, file: File | None) -> Iterator[TrustAnchor]:
    if file is None or reference.part not in {Part.TRUST, Part.KUBECONFIG}:
        return
    for item in file.content.certificates:
        if reference.part is Part.TRUST or item.entry.startswith("cluster/"):
            yield TrustAnchor(
                component=reference.component,
                setting=reference.setting,
                path=reference.path,
                entry=item.entry,
                certificate=item.certificate,
            )


def service_account_keys(
    references: tuple[Reference, ...], files: Mapping[str, File]
) -> tuple[ServiceAccountKey, ...]:
    """List the public half of each key that signs or verifies tokens, each once per component."""
    found = {
        ServiceAccountKey(path=reference.path, component=reference.component, spki_sha256=spki): None
        for reference in references
        if reference.setting in SERVICE_ACCOUNT_SETTINGS and (file := files.get(reference.path)) is not None
        for spki in (
            *(key.spki_sha256 for key in file.content.keys),
            *(item.certificate.spki_sha256 for item in file.content.certificates),
        )
        if spki is not None
    }
    return tuple(found)
