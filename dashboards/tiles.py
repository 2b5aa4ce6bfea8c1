"""The numbers on top of each dashboard."""

from grafana_foundation_sdk.builders.stat import Panel as Tile

from dashboards import authorities, columns, judgement, panels, queries
from dashboards.columns import BLUE, GREEN, ORANGE, RED, YELLOW, steps
from dashboards.queries import DAY, FILTER, IN_USE, count, select

BAD = steps((None, GREEN), (1, RED))
WORRYING = steps((None, GREEN), (1, ORANGE))
NOTABLE = steps((None, GREEN), (1, YELLOW))
URGENT = "below 7 days or a tenth of their life, or not rotated in time"
RULE = " Certificates in use without CAs, by the thresholds of the shipped alerts."


def fleet_tiles() -> list[Tile]:
    """Count what is due and what is wrong on all nodes."""
    covered = f"group by (cluster, node) ({select('kubepki_node_info')})"
    return [
        *_due(),
        _authorities(),
        _findings(FILTER[0]).span(5),
        panels.tile(
            "Nodes",
            "Nodes whose exporter reports, and nodes that have none: of kube-state-metrics, else of"
            " the kubelets' scrapes, and of the exporter's own targets.",
            {"reporting": count(covered), "not covered": count(_uncovered())},
            {"reporting": steps((None, RED), (1, GREEN)), "not covered": WORRYING},
        ).span(4),
        _unreadable(FILTER[0]).span(3),
    ]


def node_tiles() -> list[Tile]:
    """Say what a node is, and count what is wrong on it."""
    info = select("kubepki_node_info")
    worst = f"max by ({queries.CERTIFICATE}) ({judgement.urgency_of_leaves()})"
    soonest = f"min(({queries.remaining(IN_USE)} unless on ({queries.KEY}) {authorities.unneeded()}) > 0)"
    return [
        panels.label_tile(
            "Distribution",
            "The Kubernetes distribution, as the files of the node give it away.",
            f"group by (distribution) ({info})",
            "distribution",
        ),
        panels.label_tile(
            "Type",
            "Whether control-plane components run on the node.",
            f"group by (node_type) ({info})",
            "node_type",
        ),
        panels.tile(
            "Next expiry",
            "How long until the next certificate or CA in use stops working, what has expired aside.",
            {"Next expiry": soonest},
            {"Next expiry": columns.REMAINING},
        )
        .unit("dtdurations")
        .decimals(1),
        panels.tile(
            "Expired or urgent",
            f"How many have expired, and how many are urgent: {URGENT}.{RULE}",
            {"expired": count(f"{worst} == 3"), "urgent": count(f"{worst} == 2")},
            {"expired": BAD, "urgent": WORRYING},
        ),
        _findings(),
        _unreadable(),
    ]


def _due() -> list[Tile]:
    worst = f"max by ({queries.CERTIFICATE}) ({judgement.urgency_of_leaves(FILTER[0])})"
    soon = "below 30 days or a quarter of their life, but not yet urgent"
    return [
        _counted("Expired", f"How many have expired.{RULE}", f"{worst} == 3", RED),
        _counted("< 7 days", f"How many are urgent: {URGENT}.{RULE}", f"{worst} == 2", ORANGE),
        _counted("< 30 days", f"How many are due soon: {soon}.{RULE}", f"{worst} == 1", YELLOW),
    ]


def _authorities() -> Tile:
    left = f"min by (cluster, fingerprint) ({authorities.ends_of_needed()}) - time()"
    return panels.tile(
        "CAs by remaining life",
        "How many different CAs on which something hangs end within 30, 180 and 365 days, and how many later."
        " A CA takes planning: all nodes and clients must trust the next before the old one ends.",
        {
            "< 30 d": count(f"{left} < {30 * DAY}"),
            "< 180 d": count(f"{left} >= {30 * DAY} < {180 * DAY}"),
            "< 365 d": count(f"{left} >= {180 * DAY} < {365 * DAY}"),
            "later": count(f"{left} >= {365 * DAY}"),
        },
        {"< 30 d": BAD, "< 180 d": WORRYING, "< 365 d": NOTABLE, "later": steps((None, GREEN))},
    ).span(6)


def _findings(*matchers: str) -> Tile:
    return panels.tile(
        "Findings by severity",
        "How many places the checks object to, in files that are in use, by severity.",
        {severity: count(queries.findings_of(severity, *matchers)) for severity in queries.SEVERITIES},
        {"critical": BAD, "warning": WORRYING, "info": steps((None, GREEN), (1, BLUE))},
    )


def _unreadable(*matchers: str) -> Tile:
    return panels.tile(
        "Unreadable or missing",
        "Files in use that could not be read or understood, and files that a component needs and that are not"
        " there.",
        {
            "unreadable": count(queries.failures(queries.CERTIFICATE, IN_USE, *matchers)),
            "missing": count(queries.missing("cluster, node, path", *matchers)),
        },
        {"unreadable": BAD, "missing": BAD},
    )


def _counted(title: str, description: str, vector: str, color: str) -> Tile:
    shown = steps((None, GREEN), (1, color))
    return panels.tile(title, description, {title: count(vector)}, {title: shown}).span(2)


def _uncovered() -> str:
    known = select("kube_node_info", 'os_image!~"Windows.*"')
    kubelets = select("up", 'job="kubelet"', 'node!=""')
    exporters = select("up", 'job=~"(.+/)?kube-pki-exporter"', 'node!=""')
    lately = "last_over_time(group by (cluster) (kube_node_info)[1d:5m])"
    nodes = (known, f"{kubelets} unless on (cluster) {lately}", exporters)
    expected = " or ".join(f"group by (cluster, node) ({each})" for each in nodes)
    return f"({expected}) unless on (cluster, node) kubepki_node_info"
