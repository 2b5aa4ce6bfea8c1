"""The certificates of one node, the names they vouch for and who they are."""

from grafana_foundation_sdk.builders.table import Panel as Grid

from dashboards import columns, judgement, panels, queries
from dashboards.queries import select


def certificates() -> Grid:
    """List every certificate of the node."""
    labels = (
        "role, path, entry, index, state, subject, issuer, key_algorithm, key_size, signature_algorithm,"
        " serial_number, fingerprint"
    )
    return panels.grid(
        "Certificates",
        "Every certificate found on the node, the first to stop working on top. Valid until is the"
        " certificate's own end; the effective end is earlier where a CA above it ends earlier. Names counts"
        " its subject alternative names.",
        [
            queries.rows(labels, judgement.urgency_of_all()),
            queries.rows(labels, queries.remaining()),
            queries.rows(labels, f"{select(queries.END)} * 1000"),
            queries.rows(labels, f"{select(queries.AFTER)} * 1000"),
            queries.rows(labels, select("kubepki_certificate_sans")),
        ],
        [
            columns.words("Value #A", "Urgency", columns.URGENCY, width=100),
            columns.duration("Value #B", "Remaining"),
            columns.text("role", "Role", 190),
            columns.text("path", "Path", 360),
            columns.text("entry", "Entry", 200),
            columns.text("index", "#", 40),
            columns.text("state", "State", 110),
            columns.text("subject", "Subject", 260),
            columns.text("issuer", "Issuer", 160),
            columns.moment("Value #C", "Effective end"),
            columns.moment("Value #D", "Valid until"),
            columns.number("Value #E", "Names", 70),
            columns.text("key_algorithm", "Key", 70),
            columns.text("key_size", "Bits", 60),
            columns.text("signature_algorithm", "Signature", 180),
            columns.text("serial_number", "Serial number", 200),
            columns.text("fingerprint", "Fingerprint (SHA-256)", 300),
        ],
        sort="Remaining",
    ).height(14)


def names() -> Grid:
    """List subject alternative names."""
    return panels.grid(
        "Subject alternative names",
        "The names and addresses that each certificate vouches for, at most 64 of each.",
        [f"group by (path, entry, index, type, value) ({select('kubepki_certificate_san_info')})"],
        [
            columns.text("path", "Path", 400),
            columns.text("entry", "Entry", 200),
            columns.text("index", "#", 40),
            columns.text("type", "Type", 80),
            columns.text("value", "Name"),
        ],
        sort="Path",
    ).height(8)


def identities() -> Grid:
    """List who the client certificates are."""
    labels = "path, entry, index, user, group, privilege"
    return panels.grid(
        "Identities and privileges",
        "Who each client certificate is to RBAC, a row for each group. Masters can do everything, and no RBAC"
        " rule takes that away; cluster-admin can be taken away.",
        [f"group by ({labels}) ({select('kubepki_identity_info')})"],
        [
            columns.words("privilege", "Privilege", columns.PRIVILEGE, width=130),
            columns.text("user", "User", 300),
            columns.text("group", "Group", 240),
            columns.text("path", "Path", 420),
            columns.text("entry", "Entry"),
            columns.hidden("index"),
        ],
        sort="User",
    ).height(9)
