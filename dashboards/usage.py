"""Who on a node uses, trusts and offers what."""

from grafana_foundation_sdk.builders.table import Panel as Grid

from dashboards import columns, panels, queries
from dashboards.queries import TARGET, select


def references() -> Grid:
    """List who is configured to use which file."""

    def of(requirement: str) -> str:
        present = select("kubepki_reference_present", requirement)
        return f"max by (component, setting, part, role, path, origin, requirement) ({present})"

    needed, free = of('requirement="required"'), of('requirement!="required"')
    return panels.grid(
        "References",
        "Which component is configured to use which file, how that is known, and whether the file is there. A"
        " file that is optional, or that its component makes, may be absent.",
        [f"{needed} or {free} == 1 or ({free} == 0) + 2"],
        [
            columns.words("Value", "File", columns.PRESENCE, width=130),
            columns.text("component", "Component", 200),
            columns.text("setting", "Setting", 260),
            columns.text("part", "Part", 110),
            columns.text("role", "Role", 190),
            columns.text("path", "Path", 400),
            columns.text("origin", "Known from", 150),
            columns.text("requirement", "Requirement"),
        ],
        sort="File",
    ).height(10)


def anchors() -> Grid:
    """List who trusts which CA."""
    left = f"max by ({TARGET}, fingerprint) ({select(queries.INFO)} * on ({queries.KEY}) group_left ()"
    left += f" {select(queries.END)})"
    anchors = select("kubepki_trust_anchor_info")
    labels = "component, setting, path, entry, subject, fingerprint"
    known = f"{anchors} * on ({TARGET}, fingerprint) group_left () ({left} - time())"
    return panels.grid(
        "Trust anchors",
        "Which CAs each component and kubeconfig trusts. Two rows of one component and setting: a bundle,"
        " such as during the rotation of a CA.",
        [f"min by ({labels}) ({known} or {anchors} * NaN)"],
        [
            columns.text("component", "Component", 200),
            columns.text("setting", "Setting", 260),
            columns.text("path", "Path", 320),
            columns.text("entry", "Entry", 150),
            columns.text("subject", "Subject", 200),
            columns.duration("Value", "CA remaining", columns.AUTHORITY_REMAINING, absent="not known"),
            columns.text("fingerprint", "Fingerprint (SHA-256)"),
        ],
        sort="Component",
    ).height(9)


def service_account_keys() -> Grid:
    """List the keys of tokens."""
    return (
        panels.grid(
            "Service account keys",
            "The keys that sign and verify tokens; they must be equal on all control-plane nodes.",
            [f"group by (component, path, spki_sha256) ({select('kubepki_service_account_key_info')})"],
            [
                columns.text("component", "Component", 200),
                columns.text("path", "Path", 240),
                columns.text("spki_sha256", "Key (SHA-256 of SPKI)"),
            ],
            sort="Component",
            empty="No such keys: not a control-plane node",
        )
        .span(12)
        .height(7)
    )


def listeners() -> Grid:
    """List where etcd listens."""
    labels = "url, listener, transport, client_auth, origin"
    return (
        panels.grid(
            "etcd listeners",
            "Where etcd is configured to listen, and whether it asks who comes for a certificate.",
            [f"group by ({labels}) ({select('kubepki_etcd_listener_info')})"],
            [
                columns.text("listener", "Listener", 90),
                columns.text("url", "URL"),
                columns.text("transport", "Transport", 100),
                columns.words("client_auth", "Client certificate", columns.CLIENT_AUTH, width=140),
                columns.text("origin", "Known from", 130),
            ],
            sort="Listener",
            empty="No etcd on this node",
        )
        .span(12)
        .height(7)
    )
