"""The extensions of a certificate that decide who may use it for what (RFC 5280, 4.2.1)."""

import sys
from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Final

from cryptography import x509

from exporter.model import SubjectAlternativeName
from exporter.parsing.algorithms import EXTENDED_KEY_USAGES
from exporter.parsing.sharing import shared
from exporter.parsing.text import printable

_KEY_USAGES: Final[Mapping[str, str]] = MappingProxyType(
    {
        "digital_signature": "digitalSignature",
        "content_commitment": "nonRepudiation",
        "key_encipherment": "keyEncipherment",
        "data_encipherment": "dataEncipherment",
        "key_agreement": "keyAgreement",
        "key_cert_sign": "keyCertSign",
        "crl_sign": "cRLSign",
    }
)
_KEY_AGREEMENT_USAGES: Final[Mapping[str, str]] = MappingProxyType(
    {"encipher_only": "encipherOnly", "decipher_only": "decipherOnly"}
)

_SAN_TYPES: Final[Mapping[type[x509.GeneralName], str]] = MappingProxyType(
    {
        x509.DNSName: "dns",
        x509.IPAddress: "ip",
        x509.RFC822Name: "email",
        x509.UniformResourceIdentifier: "uri",
    }
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Extensions:
    """What the extensions say; None and empty where one is not there."""

    sans: tuple[SubjectAlternativeName, ...] = ()
    basic_constraints_ca: bool | None = None
    key_usage: frozenset[str] | None = None
    extended_key_usage: frozenset[str] | None = None
    subject_key_identifier: str = ""
    authority_key_identifier: str = ""


def read_extensions(extensions: x509.Extensions) -> Extensions:
    """Take what is known here out of decoded extensions; others, critical or not, are passed over."""
    sans: tuple[SubjectAlternativeName, ...] = ()
    is_ca: bool | None = None
    key_usage: frozenset[str] | None = None
    extended_key_usage: frozenset[str] | None = None
    subject_key = authority_key = ""
    for extension in extensions:
        match extension.value:
            case x509.SubjectAlternativeName() as names:
                sans = tuple(_san(name) for name in names)
            case x509.BasicConstraints() as constraints:
                is_ca = constraints.ca
            case x509.KeyUsage() as usage:
                key_usage = shared(_key_usages(usage))
            case x509.ExtendedKeyUsage() as usages:
                extended_key_usage = shared(
                    frozenset(
                        EXTENDED_KEY_USAGES.get(usage.dotted_string, usage.dotted_string) for usage in usages
                    )
                )
            case x509.SubjectKeyIdentifier() as identifier:
                subject_key = sys.intern(identifier.digest.hex())
            case x509.AuthorityKeyIdentifier(key_identifier=bytes() as issuer_key):
                authority_key = sys.intern(issuer_key.hex())
    return Extensions(
        sans=sans,
        basic_constraints_ca=is_ca,
        key_usage=key_usage,
        extended_key_usage=extended_key_usage,
        subject_key_identifier=subject_key,
        authority_key_identifier=authority_key,
    )


def _key_usages(usage: x509.KeyUsage) -> frozenset[str]:
    names = {name for attribute, name in _KEY_USAGES.items() if getattr(usage, attribute)}
    if usage.key_agreement:  # the library refuses to tell these without it
        names |= {name for attribute, name in _KEY_AGREEMENT_USAGES.items() if getattr(usage, attribute)}
    return frozenset(names)


def _san(name: x509.GeneralName) -> SubjectAlternativeName:
    kind = _SAN_TYPES.get(type(name), "other")
    value = name.value if kind in {"dns", "email", "uri"} else _described(name)
    return SubjectAlternativeName(kind, sys.intern(printable(value)))


def _described(name: x509.GeneralName) -> str:
    """Write an address as usual and the rarer kinds behind their names in RFC 5280."""
    match name:
        case x509.RegisteredID(value=oid):
            return f"registeredID:{oid.dotted_string}"
        case x509.DirectoryName(value=directory):
            return f"directoryName:{directory.rfc4514_string()}"
        case x509.OtherName(type_id=oid, value=der):
            return f"otherName:{oid.dotted_string}:{der.hex()}"
    return str(name.value)
