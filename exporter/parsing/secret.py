"""A Kubernetes Secret in a file, such as the certificate that k3s keeps for its own port."""

from collections.abc import Mapping

from exporter.model import Content, Reason
from exporter.parsing.embedded import joined, read_certificates, read_keys
from exporter.parsing.text import printable

_CERTIFICATE_SUFFIXES = (".crt", ".pem", ".cer", ".cert")
_KEY_SUFFIX = ".key"


def secret_data(value: object) -> Mapping[str, object] | None:
    """Give the data of a document that is a Secret."""
    if (
        isinstance(value, dict)
        and value.get("kind") == "Secret"
        and isinstance(data := value.get("data"), dict)
    ):
        return data
    return None


def parse_secret(path: str, data: Mapping[str, object], *, decode_keys: bool) -> Content:
    """Read the certificates and the public halves of the keys of a Secret; the entry is the key in it.

    An empty value is a placeholder (cert-manager writes one) and no failure.
    """
    certificates = {
        key: read_certificates(path, printable(key), value, malformed=Reason.MALFORMED_PEM)
        for key, value in data.items()
        if key.endswith(_CERTIFICATE_SUFFIXES) and value
    }
    keys = [
        read_keys(
            printable(key),
            value,
            beside=certificates.get(key.removesuffix(_KEY_SUFFIX) + ".crt", Content()),
            decode=decode_keys,
        )
        for key, value in data.items()
        if key.endswith(_KEY_SUFFIX) and value
    ]
    return joined((*certificates.values(), *keys))
