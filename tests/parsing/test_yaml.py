"""YAML is read as Kubernetes reads it, and no document can cost more than its size."""

import pytest

from exporter.parsing.yaml import MAX_DEPTH, MAX_NODES, load

MEBIBYTE = 1 << 20


@pytest.mark.parametrize(
    ("content", "expected"),
    [
        (b"a: b", {"a": "b"}),
        (b"- 1\n- -2\n- +3\n- 1.5\n- 1.5e3\n", [1, -2, 3, 1.5, 1500.0]),
        (
            b"[0644, 0x1F, 1_000, 1e3, .5, v1.36, 99999999999999999999]",
            ["0644", "0x1F", "1_000", "1e3", ".5", "v1.36", "9" * 20],
        ),
        (b"[~, null, NULL, '', \"null\", 'yes']", [None, None, None, "", "null", "yes"]),
        (
            b"[yes, No, ON, off, true, FALSE, y, N, maybe]",
            [True, False, True, False, True, False, True, False, "maybe"],
        ),
        (b"[2026-11-24, 12:30, 2026-11-24T09:00:00Z]", ["2026-11-24", "12:30", "2026-11-24T09:00:00Z"]),
        (b"!!str 5", "5"),
        (b"a: !custom {b: c}", {"a": {"b": "c"}}),
        (b"1: a\ntrue: b\n~: c\n", {"1": "a", "true": "b", "~": "c"}),
        (b"a: 1\na: 2\n", {"a": 2}),
        (b"a: &x [1]\nb: *x\nc: &y z\nd: {*y : 1}", {"a": [1], "b": [1], "c": "z", "d": {"z": 1}}),
        (
            b"a: &x {p: 1, q: 2}\nb: {p: 0, <<: *x, r: 3}",
            {"a": {"p": 1, "q": 2}, "b": {"q": 2, "p": 0, "r": 3}},
        ),
        (b"<<: [{p: 1}, {p: 2, q: 3}]", {"p": 1, "q": 3}),
        (b"a: |\n  one\n  two\nb: >-\n  one\n  two\n", {"a": "one\ntwo\n", "b": "one two"}),
        (b"---\na: 1\n---\nb: 2\n", {"a": 1}),
        (b"a: 1\n---\n]: [", {"a": 1}),
        (b"\xef\xbb\xbfa: 1", {"a": 1}),
        ("a: ü".encode("utf-16"), {"a": "ü"}),
        (b"plain", "plain"),
    ],
)
def test_yaml(content: bytes, expected: object) -> None:
    """Words, numbers, dates, anchors, merge keys and documents mean what they mean to Kubernetes."""
    assert load(content) == expected


@pytest.mark.parametrize(
    ("content", "expected"),
    [
        (b' \n{"a": [1, 2.5, null, true]}', {"a": [1, 2.5, None, True]}),
        (b'{\t"a":\t1}', {"a": 1}),
        (b'{"a": 1, "a": 2}', {"a": 2}),
        (b'{"a\\ud800": "\\udc00b"}', {"a?": "?b"}),
        (b'{"a": "\\ud83d\\ude00"}', {"a": "\N{GRINNING FACE}"}),
        (b'{"a": ' + b"9" * 100_000 + b"}", {"a": "9" * 100_000}),
        (b"{a: b}", {"a": "b"}),
        (b'{"a": 1} trailing', {"a": 1}),
    ],
)
def test_json(content: bytes, expected: object) -> None:
    """JSON is read with tabs, too, and holds nothing that cannot be encoded."""
    assert load(content) == expected


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"# nothing\n",
        b"a: [",
        b"a: b: c",
        b"\ta: b",
        b"\xff\xfe\xfd",
        b"a: \x00",
        b"[1]: 2",
        b"{a: b}: 2",
        b"&a 1: {*b : 2}",
        b"a: &x [1]\n*x : 2",
        b"a: *unknown",
        b"a: &a [*a]",
        b"<<: 5",
        b"<<: [5]",
        b"{" + b'"a":{' * 100_000,
    ],
)
def test_what_no_reader_would_take_is_none(content: bytes) -> None:
    """Broken syntax, keys that are no text and aliases of nothing are refused."""
    assert load(content) is None


@pytest.mark.parametrize("pattern", [b"[", b"{", b"- ", b"? ", b"a: [\n", b"{a: ", b"&a ", b"*a "])
@pytest.mark.parametrize("prefix", [b"", b"[", b"- ", b"{a: "])
def test_a_mebibyte_of_beginnings(prefix: bytes, pattern: bytes) -> None:
    """Deep nesting is refused before it reaches any stack."""
    assert load((prefix + pattern * MEBIBYTE)[:MEBIBYTE]) is None


@pytest.mark.parametrize(
    "pattern", [b"[]\n", b"'", b'"', b"\\", b"\t", b": ", b"!", b"|\n", b"#\n", b"- a\n", b"%"]
)
@pytest.mark.parametrize("prefix", [b"", b"[", b"- ", b'"'])
def test_a_mebibyte_of_one_token(prefix: bytes, pattern: bytes) -> None:
    """Endless tokens end, as a short value or as none."""
    assert isinstance(load((prefix + pattern * MEBIBYTE)[:MEBIBYTE]), str | list | None)


def test_depth_is_bounded() -> None:
    """A hundred levels are read and one more is not."""
    assert load(b"[" * MAX_DEPTH + b"]" * MAX_DEPTH) is not None
    assert load(b"[" * (MAX_DEPTH + 1) + b"]" * (MAX_DEPTH + 1)) is None


def test_nodes_are_bounded() -> None:
    """As many nodes as allowed are read and one more is not."""
    assert load(b"- a\n" * (MAX_NODES - 1)) is not None
    assert load(b"- a\n" * MAX_NODES) is None


def test_aliases_count_as_often_as_they_are_followed() -> None:
    """A billion laughs are refused, and so are merges that grow with each step."""
    laughs = [b"x0: &x0 [ha, ha]"] + [
        b"x%d: &x%d [%s]" % (i, i, b", ".join([b"*x%d" % (i - 1)] * 9)) for i in range(1, 10)
    ]
    merges = [b"m0: &m0 {k: v}"] + [
        b"m%d: &m%d {<<: *m%d, k%d: v}" % (i, i, i - 1, i) for i in range(1, 2000)
    ]

    assert load(b"\n".join(laughs)) is None
    assert load(b"\n".join(merges)) is None
    assert load(b"\n".join(merges[:50])) is not None
