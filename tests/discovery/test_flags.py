"""Command lines as Go programs and shells read them."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from exporter.discovery.components import COMPONENTS
from exporter.discovery.flags import expand, invocation, parse_flags, unquoted


@pytest.mark.parametrize(
    ("arguments", "expected"),
    [
        (["--f=v"], {"f": ("v",)}),
        (["--f", "v"], {"f": ("v",)}),
        (["-f=v"], {"f": ("v",)}),
        (["-f", "v"], {"f": ("v",)}),
        (["--f"], {"f": ("true",)}),
        (["--f", "--g=1"], {"f": ("true",), "g": ("1",)}),
        (["--f="], {"f": ("",)}),
        (["--f=a=b,c=d"], {"f": ("a=b,c=d",)}),
        (["--f=1", "--f=2", "--f", "3"], {"f": ("1", "2", "3")}),
        (["--client-cert-auth", "word", "--g=1"], {"client-cert-auth": ("true",), "g": ("1",)}),
        (["--client_ca_file=/ca"], {"client-ca-file": ("/ca",)}),
        (["server", "--f=v"], {"f": ("v",)}),
        (["--f=v", "--", "--g=1"], {"f": ("v",)}),
        (["-", "---", ""], {}),
        ([], {}),
    ],
)
def test_every_form_of_a_flag(arguments: list[str], expected: dict[str, tuple[str, ...]]) -> None:
    """Flags with ``=`` or a word of their own, one dash or two, bare, repeated, and what is no flag."""
    assert parse_flags(arguments).values == expected


def test_the_last_value_of_a_repeated_flag_counts() -> None:
    """A scalar given twice has its last value, a list all of them; what is not given is empty."""
    flags = parse_flags(["--f=1", "--f=2"])
    assert flags.last("f") == "2"
    assert flags.all("f") == ("1", "2")
    assert flags.last("g") == ""
    assert flags.all("g") == ()


@pytest.mark.parametrize(
    ("arguments", "value"),
    [
        (["--on"], True),
        *[([f"--on={word}"], True) for word in ("1", "t", "T", "TRUE", "true", "True")],
        *[([f"--on={word}"], False) for word in ("0", "f", "F", "FALSE", "false", "False")],
        (["--on=false", "--on"], True),
        (["--on=true", "--on=f"], False),
        (["--on=maybe"], None),
        ([], None),
    ],
)
def test_booleans_are_read_as_go_reads_them(arguments: list[str], value: bool | None) -> None:
    """``strconv.ParseBool`` decides, a bare flag is true, the last one counts."""
    assert parse_flags(arguments).boolean("on") is value


@pytest.mark.parametrize(
    ("words", "expected"),
    [
        (["etcd", "--a=1"], ("etcd", ("--a=1",))),
        (["/usr/local/bin/kube-apiserver"], ("kube-apiserver", ())),
        (["/go-runner", "--also-stdout", "/bin/kube-apiserver", "--a=1"], ("kube-apiserver", ("--a=1",))),
        (["nice", "-n", "-19", "etcd", "--a", "1"], ("etcd", ("--a", "1"))),
        (["/bin/sh", "-c", "exec etcd --a=1 --b='x y'"], ("etcd", ("--a=1", "--b=x y"))),
        (["/bin/bash", "-ec", "set -e\nexec etcd \\\n  --a=1 \\\n  --b=2"], ("etcd", ("--a=1", "--b=2"))),
        (["sh", "-c", "etcd --a=1 2>&1 | tee /log --b=2"], ("etcd", ("--a=1", "2"))),
        (["sh", "-c", "# it's etcd --a\netcdctl member list && etcd --a=1; sleep 1"], ("etcd", ("--a=1",))),
        (["sh", "-c", "etcd --a=it's"], ("etcd", ("--a=it's",))),
        (["sh", "-c", "cp /usr/bin/etcd /tmp"], None),
        (["bash", "-e", "-c", "etcd --a=1"], ("etcd", ("--a=1",))),
        (["sh", "/start.sh"], None),
        (["sh"], None),
        (["pause"], None),
        (["--name=etcd"], None),
        ([], None),
    ],
)
def test_the_component_is_found_in_its_command(
    words: list[str], expected: tuple[str, tuple[str, ...]] | None
) -> None:
    """Straight, behind a wrapper or in the script of a shell, whose comments and operators end it."""
    assert invocation(words, COMPONENTS) == expected


def test_quotes_that_do_not_match_split_at_white_space() -> None:
    """No text is refused; without matching quotes the white space decides."""
    assert unquoted("a 'b c' \"d\"") == ["a", "b c", "d"]
    assert unquoted("a 'b c") == ["a", "'b", "c"]


def test_known_variables_are_replaced_and_others_stay() -> None:
    """``$(A)`` of Kubernetes and ``${A}``, ``$A`` of shells; what is unknown stays to be seen as such."""
    assert expand("$(A)-${A}-$A-$(B)-${B}-$B-$", {"A": "1"}) == "1-1-1-$(B)-${B}-$B-$"


@given(st.lists(st.text()))
def test_any_words_are_flags_or_none(words: list[str]) -> None:
    """No command line is refused, and every flag that is found has a value."""
    assert all(parse_flags(words).values.values())
    found = invocation(words, COMPONENTS)
    assert found is None or found[0] in COMPONENTS
