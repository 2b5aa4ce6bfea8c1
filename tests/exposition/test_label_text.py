"""Label values and numbers, from text that nobody vouches for."""

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from exporter.exposition import text

anything = st.text(st.characters()) | st.text(st.sampled_from('\\xu0a1f"\n\0\u202e\udcff'))
long = st.builds(lambda head, tail: "a" * 505 + head + tail, anything, anything)


def unescaped(value: str) -> str:
    """What the parser of the format makes of it."""
    return re.sub(r"\\(.)", r"\1", value)


def decoded(shown: str) -> str:
    """The text that ``visible`` was given."""

    def character(match: "re.Match[str]") -> str:
        code = int(match[1][1:], base=16)
        return chr(code + 0xDC00) if match[1].startswith("x") and code > 0x7F else chr(code)

    return re.sub(r"\\(x[0-9a-f]{2}|u[0-9a-f]{4}|U[0-9a-f]{8})", character, shown)


@pytest.mark.parametrize(
    ("given", "shown"),
    [
        ("/etc/kubernetes/pki/ca.crt", "/etc/kubernetes/pki/ca.crt"),
        ("CN=Zoë 证书", "CN=Zoë 证书"),
        ("DOMAIN\\user", "DOMAIN\\user"),
        ("a\nb", "a\\x0ab"),
        ("\x1b[31m", "\\x1b[31m"),
        ("\0\x7f\x85\xa0", "\\x00\\x7f\\u0085\\u00a0"),
        ("\u202egnp.exe", "\\u202egnp.exe"),
        ("bad-\udcff.crt", "bad-\\xff.crt"),
        ("\ud800", "\\ud800"),
        ("\U000e0041", "\\U000e0041"),
        ("a\\x0ab", "a\\x5cx0ab"),
    ],
)
def test_the_invisible_is_written_out(given: str, shown: str) -> None:
    """Controls, bidi marks and broken UTF-8 are escapes of bash; all else stays."""
    assert text.visible(given) == shown


@given(anything)
def test_different_texts_stay_different(value: str) -> None:
    """What is shown can be read back."""
    assert decoded(text.visible(value)) == value


@given(anything | long)
def test_a_label_is_short_printable_and_quotable(value: str) -> None:
    """Whatever a certificate says, its label has one line, valid UTF-8 and at most 512 characters."""
    for write in (text.prose, text.identity):
        written = write(value)
        assert written.isprintable()
        assert written.encode().decode() == written
        assert re.fullmatch(r'(\\["\\]|[^"\\])*', written)
        assert len(unescaped(written)) <= text.LONGEST


def test_prose_is_cut_with_an_ellipsis() -> None:
    """512 characters stay; of more, the last is an ellipsis."""
    assert text.prose("a" * 512) == "a" * 512
    assert text.prose("a" * 10_000) == "a" * 511 + "…"


def test_long_places_stay_two() -> None:
    """A cut path ends in a digest of the whole, and no shorter path can pretend to be it."""
    one, two = (text.identity("/" + "a" * 600 + end) for end in "12")
    assert one != two
    assert len(one) == text.LONGEST
    assert text.identity(one) != one
    assert text.identity("a" * 511) == "a" * 511


@given(long, long)
def test_identity_tells_any_two_texts_apart(one: str, two: str) -> None:
    """Equal labels come from equal texts only."""
    assert (text.identity(one) == text.identity(two)) == (one == two)


@pytest.mark.parametrize(
    ("value", "written"),
    [
        (1, "1"),
        (True, "1"),
        (False, "0"),
        (253402300799.0, "253402300799"),
        (-631152000.0, "-631152000"),
        (1795510800.25, "1795510800.25"),
        (1e21, "1000000000000000000000"),
    ],
)
def test_integral_numbers_have_no_exponent(value: float, written: str) -> None:
    """Times are read by people, too."""
    assert text.number(value) == written
