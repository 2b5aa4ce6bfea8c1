"""Listen addresses are read once, before anything listens."""

import pytest

from exporter.address import ListenAddress, parse_address


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("127.0.0.1:9795", ListenAddress("127.0.0.1", 9795)),
        (":9795", ListenAddress("", 9795)),
        ("[::]:9795", ListenAddress("::", 9795)),
        ("[::1]:0", ListenAddress("::1", 0)),
        ("localhost:80", ListenAddress("localhost", 80)),
    ],
)
def test_listen_addresses_are_read_as_go_reads_them(text: str, expected: ListenAddress) -> None:
    """Host and port, IPv6 in brackets, an empty host for every address."""
    assert parse_address(text) == expected


@pytest.mark.parametrize(
    "text",
    [
        *("", "9795", "localhost", "::1:9795", "[::1]", "x:99999", "x:-1", "a:b:1"),
        *("[::1:9795", "[zz]:1", ":009795", ":²", ":\u0663", "a b:1", "a\0:1"),
    ],
)
def test_other_listen_addresses_are_refused(text: str) -> None:
    """The message shows what was meant."""
    with pytest.raises(ValueError, match="HOST:PORT"):
        parse_address(text)


@pytest.mark.parametrize(
    ("address", "is_local"),
    [
        ("127.0.0.1:1", True),
        ("127.9.9.9:1", True),
        ("[::1]:1", True),
        ("localhost:1", True),
        (":1", False),
        ("0.0.0.0:1", False),
        ("[::]:1", False),
        ("10.0.0.1:1", False),
        ("example.org:1", False),
    ],
)
def test_only_loopback_is_local(address: str, is_local: bool) -> None:
    """An address that anybody else could reach is not."""
    assert parse_address(address).is_loopback is is_local


@pytest.mark.parametrize("text", ["127.0.0.1:9795", ":9795", "[::1]:9795", "localhost:9795"])
def test_an_address_is_written_as_it_is_read(text: str) -> None:
    """For the log."""
    assert str(parse_address(text)) == text
