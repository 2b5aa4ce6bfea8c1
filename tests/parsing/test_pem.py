"""PEM text is cut into blocks as Go cuts it, and nothing that is broken hides what is not."""

import base64

import pytest

from exporter.parsing.pem import Block, blocks, has_marker

BODY = base64.encodebytes(bytes(range(200)))


def block(label: str = "CERTIFICATE", body: bytes = BODY) -> bytes:
    """Write a block of PEM."""
    return b"-----BEGIN %b-----\n%b-----END %b-----\n" % (label.encode(), body, label.encode())


def labels(content: bytes) -> list[tuple[str, bool]]:
    """Tell each block's label and whether its body can be decoded."""
    return [(found.label, found.der() is not None) for found in blocks(content)]


@pytest.mark.parametrize(
    "content",
    [
        block(),
        block().removesuffix(b"\n"),
        block().replace(b"\n", b"\r\n"),
        block().replace(b"-----\n", b"----- \t\n"),
        b"subject=CN=a\nissuer=CN=b\n" + block() + b"\ntrailing words ----- here\n-----\n",
        block(body=b"X-Note: text\nOther: 1\n\n" + BODY),
        block(body=b"".join(b"  %b \n" % line for line in BODY.splitlines())),
        block(body=BODY.replace(b"\n", b"") + b"\n"),
    ],
    ids=[
        "plain",
        "no-final-newline",
        "crlf",
        "blanks",
        "text-around",
        "headers",
        "indented",
        "one-line-body",
    ],
)
def test_a_block_is_read_however_it_is_laid_out(content: bytes) -> None:
    """Line ends, text around, headers and blanks do not change what a block says."""
    assert [(found.label, found.der()) for found in blocks(content)] == [("CERTIFICATE", bytes(range(200)))]


@pytest.mark.parametrize(
    ("content", "expected"),
    [
        (b"", []),
        (b"-----", []),
        (b"-----BEGIN CERTIFICATE", []),
        (b"-----BEGIN CERTIFICATE---\n", []),
        (b"  -----BEGIN CERTIFICATE-----\n", []),
        (b"-----END CERTIFICATE-----\n", []),
        (b"-----BEGIN CERTIFICATE-----", [("CERTIFICATE", False)]),
        (block()[:-10], [("CERTIFICATE", False)]),
        (block().replace(b"END CERTIFICATE", b"END CERTIFICAT"), [("CERTIFICATE", False)]),
        (b"-----BEGIN CERTIFICATE-----\n" + block(), [("CERTIFICATE", False), ("CERTIFICATE", True)]),
        (block(body=b"????\n"), [("CERTIFICATE", False)]),
        (block(body=BODY[:-3] + b"\n"), [("CERTIFICATE", False)]),
        (block(body=b"AAAA=AAA\n"), [("CERTIFICATE", False)]),
        (block(body=b""), [("CERTIFICATE", True)]),
        (block(body=b"a:b"), [("CERTIFICATE", False)]),
        (block().replace(b"\n", b" "), [("CERTIFICATE", False)]),
        (block().replace(b"\n", b"\r"), [("CERTIFICATE", False)]),
        (b"\xef\xbb\xbf" + block(), [("CERTIFICATE", False)]),
        (b"\xef\xbb\xbftext\n" + block(), [("CERTIFICATE", True)]),
        (b"\xef\xbb\xbf", []),
        (
            block("EC PARAMETERS") + block("EC PRIVATE KEY"),
            [("EC PARAMETERS", True), ("EC PRIVATE KEY", True)],
        ),
        (block("TRUSTED CERTIFICATE"), [("TRUSTED CERTIFICATE", True)]),
    ],
)
def test_a_broken_block_is_told_and_ends_at_the_next(
    content: bytes, expected: list[tuple[str, bool]]
) -> None:
    """A block without its own END, on one line, or of bad base64 is one broken block, no more and no less."""
    assert labels(content) == expected


def test_a_repr_shows_no_body() -> None:
    """What is logged by accident holds no private key."""
    assert "body" not in repr(Block("PRIVATE KEY", b"secret"))


@pytest.mark.parametrize(
    "line", [b"-----BEGIN CERTIFICATE-----\n", b"-----BEGIN \n", b"-----\n", b"-" * 50 + b"\n"]
)
def test_two_hundred_thousand_markers_take_one_pass(line: bytes) -> None:
    """A file of nothing but BEGIN lines took a regular expression 20 minutes."""
    count = sum(1 for _ in blocks(line * 200_000))

    assert count == (200_000 if line.endswith(b"E-----\n") else 0)


def test_a_block_of_nothing_but_headers_takes_one_pass() -> None:
    """Headers are skipped by position and not by copying the rest."""
    (found,) = blocks(block(body=b"a:b\n" * 200_000))

    assert found.der() == b""


@pytest.mark.parametrize(
    ("content", "expected"),
    [
        (b"-----BEGIN CERTIFICATE-----", True),
        (b"text\n-----BEGIN X", True),
        (b"\xef\xbb\xbf-----BEGIN X", True),
        (b"text -----BEGIN X", False),
        (b"", False),
    ],
)
def test_a_marker_begins_a_line(content: bytes, *, expected: bool) -> None:
    """A PEM block quoted inside a line makes no PEM file."""
    assert has_marker(content) is expected
