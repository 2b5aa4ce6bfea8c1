"""What no recorded node can show: weak algorithms, odd names, and how a check is made."""

from dataclasses import replace
from datetime import UTC, datetime

import pytest

from exporter.checks import CHECKS, evaluate
from exporter.checks.purpose import uncovered
from exporter.demo.pki import make_ca, make_leaf
from exporter.model import (
    Certificate,
    Content,
    Embedded,
    File,
    Inventory,
    Node,
    Occurrence,
    Place,
    Role,
    State,
)
from exporter.parsing.x509 import parse_certificate

NOW = datetime(2026, 11, 24, tzinfo=UTC)


def leaf(*sans: str) -> Certificate:
    """A certificate with those names."""
    parsed = parse_certificate(make_leaf(make_ca(now=NOW), now=NOW, sans=sans).der)
    assert isinstance(parsed, Certificate)
    return parsed


def found(certificate: Certificate, role: Role = Role.CONTROLLER_MANAGER_SERVER) -> list[str]:
    """Which checks object to a certificate that stands alone."""
    place = Place("/a.crt")
    occurrence = Occurrence(
        place=place,
        certificate=certificate,
        role=role,
        state=State.IN_USE,
        issuers=(),
        issuer_fingerprint=None,
        effective_not_after=certificate.not_after,
    )
    file = File(path="/a.crt", status=None, content=Content(certificates=(Embedded("", 0, certificate),)))
    inventory = Inventory(node=Node(), occurrences=(occurrence,), files={"/a.crt": file}, uses={"/a.crt": ()})
    return [finding.check for finding in evaluate(inventory)]


@pytest.mark.parametrize(
    ("algorithm", "size", "checks"),
    [
        ("RSA", 2048, []),
        ("RSA", 2047, ["key_weak"]),
        ("RSA-PSS", 1024, ["key_weak"]),
        ("EC", 224, []),
        ("EC", 192, ["key_weak"]),
        ("DSA", 3072, ["key_weak"]),
        ("Ed25519", None, []),
        ("ML-DSA-65", None, []),
        ("1.2.3.4", None, []),
    ],
)
def test_a_key_is_weak_below_what_is_recommended(algorithm: str, size: int | None, checks: list[str]) -> None:
    """At the boundary it is strong; what is not known is not judged."""
    assert found(replace(leaf(), key_algorithm=algorithm, key_size=size)) == checks


@pytest.mark.parametrize(
    ("hash_name", "is_self_signed", "checks"),
    [
        ("sha256", False, []),
        ("sha1", False, ["signature_weak"]),
        ("md5", False, ["signature_weak"]),
        ("sha1", True, []),
        ("", False, []),
    ],
)
def test_a_forgeable_signature_matters_where_it_is_verified(
    hash_name: str, is_self_signed: bool, checks: list[str]
) -> None:
    """Nobody verifies the signature of a root."""
    assert found(replace(leaf(), signature_hash=hash_name, is_self_signed=is_self_signed)) == checks


@pytest.mark.parametrize(
    ("name", "is_covered"),
    [
        ("api.example.net", True),
        ("API.example.net.", True),
        ("n1.nodes.example.net", True),
        ("a.n1.nodes.example.net", False),
        ("nodes.example.net", False),
        ("10.0.0.1", True),
        ("10.0.0.2", False),
        ("[fd00::1]", True),
        ("fd00:0:0::1", True),
    ],
)
def test_names_are_covered_as_go_verifies_them(name: str, is_covered: bool) -> None:
    """One wildcard label, addresses by value, names in any case."""
    certificate = leaf("api.example.net", "*.nodes.example.net", "10.0.0.1", "fd00::1")

    assert uncovered(certificate, (name,)) == ([] if is_covered else [name])


def test_checks_have_names_of_their_own_and_say_what_they_rest_on() -> None:
    """The function gives name, group and meaning, so that none can be mistyped."""
    assert len({check.name for check in CHECKS}) == len(CHECKS)
    assert {check.group for check in CHECKS} == {
        "chain",
        "purpose",
        "keys",
        "files",
        "rotation",
        "identity",
        "etcd",
    }


def test_a_place_is_found_once_per_check() -> None:
    """A component and its sibling that share a file share the finding."""
    assert found(replace(leaf(), key_algorithm="DSA")).count("key_weak") == 1
