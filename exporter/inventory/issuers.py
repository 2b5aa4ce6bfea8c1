"""Which known CA really signed a certificate, and until when its best path holds (RFC 5280, 6.1)."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from heapq import heapify, heappop, heappush

from exporter.model import Authority, Certificate, Fingerprint, Role, State
from exporter.parsing.signature import verifies

CANDIDATES = 32
"""How many CAs of one name are tried: more of them in one place is an attack or an accident."""


@dataclass(frozen=True, slots=True)
class IssuerPath:
    """A certificate's issuers and what its best path says."""

    issuers: tuple[Authority, ...]
    issuer_fingerprint: Fingerprint | None
    effective_not_after: datetime


@dataclass(frozen=True, slots=True)
class _Known:
    certificate: Certificate
    role: Role
    is_in_use: bool


class Issuers:
    """The CAs known here, by subject, and how long each of them holds."""

    def __init__(self, certificates: Iterable[tuple[Certificate, Role, State]]) -> None:
        known: dict[Fingerprint, _Known] = {}
        for certificate, role, state in certificates:
            is_in_use = state is State.IN_USE
            if certificate.is_ca and (certificate.fingerprint not in known or is_in_use):
                known[certificate.fingerprint] = _Known(certificate, role, is_in_use)
        self._by_subject: dict[bytes, list[_Known]] = {}
        for authority in known.values():
            self._by_subject.setdefault(authority.certificate.subject_der, []).append(authority)
        self._ends = self._ends_of(known)
        self._paths: dict[Fingerprint, IssuerPath] = {}

    def path_of(self, certificate: Certificate) -> IssuerPath:
        """Find every issuer and the path on which the certificate holds longest."""
        if (path := self._paths.get(certificate.fingerprint)) is None:
            path = self._paths[certificate.fingerprint] = self._path(certificate)
        return path

    def _path(self, certificate: Certificate) -> IssuerPath:
        issuers = self._issuers(certificate)
        best = max(
            (known.certificate.fingerprint for known in _trusted(issuers)),
            key=lambda fingerprint: (self._ends[fingerprint], fingerprint),
            default=None,
        )
        own_end = certificate.not_after
        return IssuerPath(
            issuers=tuple(Authority(known.certificate.fingerprint, known.role) for known in issuers),
            issuer_fingerprint=best,
            effective_not_after=own_end if best is None else min(own_end, self._ends[best]),
        )

    def _ends_of(self, known: Mapping[Fingerprint, _Known]) -> Mapping[Fingerprint, datetime]:
        """Find until when each CA holds: Dijkstra's algorithm for the widest path, so cycles are harmless."""
        ends = {fingerprint: authority.certificate.not_after for fingerprint, authority in known.items()}
        issued: dict[Fingerprint, list[Fingerprint]] = {}
        reached = []
        for fingerprint, authority in known.items():
            trusted = _trusted(self._issuers(authority.certificate))
            for issuer in trusted:
                issued.setdefault(issuer.certificate.fingerprint, []).append(fingerprint)
            if not trusted:
                reached.append((-ends[fingerprint].timestamp(), fingerprint, ends[fingerprint]))
        heapify(reached)
        settled: set[Fingerprint] = set()
        while reached:
            _, fingerprint, end = heappop(reached)
            if fingerprint in settled:
                continue
            settled.add(fingerprint)
            ends[fingerprint] = end
            for below in issued.get(fingerprint, ()):
                lower = min(end, known[below].certificate.not_after)
                heappush(reached, (-lower.timestamp(), below, lower))
        return ends

    def _issuers(self, certificate: Certificate) -> list[_Known]:
        if certificate.is_self_signed:
            return []
        candidates = sorted(
            self._by_subject.get(certificate.issuer_der, ()),
            key=lambda known: (
                known.certificate.subject_key_identifier != certificate.authority_key_identifier,
                not known.is_in_use,
                known.certificate.fingerprint,
            ),
        )
        return [
            known
            for known in candidates[:CANDIDATES]
            if known.certificate.fingerprint != certificate.fingerprint
            and verifies(known.certificate, certificate)
        ]


def _trusted(issuers: list[_Known]) -> list[_Known]:
    """Leave out leftovers, such as a backup of a renewed CA, while a CA in use verifies too."""
    return [known for known in issuers if known.is_in_use] or issuers
