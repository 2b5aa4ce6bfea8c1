"""The dashboard over all nodes: what expires next, and where the fleet disagrees or is broken."""

from grafana_foundation_sdk.builders.barchart import Panel as Bars
from grafana_foundation_sdk.builders.dashboard import Dashboard
from grafana_foundation_sdk.builders.table import Panel as Grid

from dashboards import authorities, columns, judgement, panels, queries, variables
from dashboards.board import board, rows_of
from dashboards.findings import fleet_findings, fleet_missing, fleet_unreadable
from dashboards.queries import FILTER, IN_USE, select
from dashboards.tiles import fleet_tiles


def fleet() -> Dashboard:
    """Build the dashboard."""
    dashboard = board(
        columns.FLEET_UID,
        "Kubernetes PKI / Fleet",
        "Every certificate that the nodes of the fleet depend on: what expires next, and what is wrong.",
        [
            variables.datasource(),
            variables.cluster(),
            variables.nodes(),
            variables.role(),
            variables.state(),
        ],
    )
    return rows_of(
        dashboard,
        {
            "Expiry": [_next(), *fleet_tiles(), _horizon()],
            "Certificate authorities": [_authorities()],
            "Kubelet rotation": [_rotation()],
            "Findings": [fleet_findings()],
            "Failures": [fleet_unreadable(), fleet_missing()],
        },
    )


def _next() -> Grid:
    first = judgement.soonest(100, *FILTER)
    labels = f"{queries.CERTIFICATE}, subject, issuer"
    judged = f"({judgement.urgency(*FILTER)}) and on ({queries.KEY}) {first}"
    return panels.grid(
        "What expires next",
        "The 100 certificates that stop working first, without old CAs that nothing needs any more. The"
        " effective end is that of the certificate or of a CA above it, whichever comes first. Urgency"
        " follows the shipped alerts: soon is 30 days or a quarter of the certificate's life, urgent 7 days"
        " or a tenth, whichever is less (180 and 30 days for a CA); what a kubelet rotates by itself is"
        " urgent when that is overdue.",
        [
            queries.rows(labels, judged),
            queries.rows(labels, f"{first} - time()"),
            queries.rows(labels, f"{first} * 1000"),
        ],
        [
            columns.text("cluster", "Cluster", 120),
            columns.node(),
            columns.words("Value #A", "Urgency", columns.URGENCY, width=100),
            columns.duration("Value #B", "Remaining"),
            columns.moment("Value #C", "Effective end"),
            columns.text("role", "Role", 190),
            columns.text("path", "Path", 360),
            columns.text("entry", "Entry", 200),
            columns.text("subject", "Subject", 260),
            columns.text("issuer", "Issuer"),
            columns.hidden("index"),
        ],
        sort="Remaining",
    ).height(12)


def _horizon() -> Bars:
    return panels.horizon(
        "Horizon: expiries per week and role",
        "How many certificates in use, CAs not counted, stop working in the week that begins on that Monday"
        " (UTC). Weeks without any are left out; weeks in the past hold what has expired.",
        queries.by_week(FILTER[0], IN_USE),
    )


def _authorities() -> Grid:
    ends = authorities.ends()
    return panels.grid(
        "Certificate authorities",
        "Every CA in use, by fingerprint, on how many nodes it is, and how many certificates in use end with"
        " it on their best path. Two rows of one role and subject: a rotation is in progress, or nodes"
        " disagree; only a front-proxy CA of k0s and MicroK8s is each controller's own by design. The subject"
        " never tells them apart, the fingerprint does.",
        [
            f"{ends} - time()",
            f"{ends} * 1000",
            authorities.nodes(),
            authorities.issued(),
        ],
        [
            columns.text("cluster", "Cluster", 120),
            columns.text("role", "Role", 160),
            columns.text("subject", "Subject", 220),
            columns.duration("Value #A", "Remaining", columns.AUTHORITY_REMAINING),
            columns.moment("Value #B", "Effective end"),
            columns.number("Value #C", "Nodes"),
            columns.number("Value #D", "Issued"),
            columns.text("fingerprint", "Fingerprint (SHA-256)"),
        ],
        sort="Remaining",
    ).height(8)


def _rotation() -> Grid:
    def due(role: str) -> str:
        return queries.per_node(f"({select(queries.DUE, IN_USE, role)} - time())")

    def left(role: str) -> str:
        return queries.per_node(f"({queries.leaves(queries.END, IN_USE, role)} - time())")

    client, server = 'role="kubelet-client"', 'role=~"kubelet-server|kubelet-server-self-signed"'
    return panels.grid(
        "Kubelet rotation",
        "Whether each kubelet renews its client certificate and requests its serving certificate from the"
        " cluster, and by when it must have done so (90 % of the life). A negative due time with time"
        " remaining: rotation is broken, and there is still time to repair it. Without a due time nothing"
        " rotates the certificate by itself.",
        [
            queries.per_node(select("kubepki_kubelet_rotate_certificates")),
            queries.per_node(select("kubepki_kubelet_server_tls_bootstrap")),
            due(client),
            left(client),
            due(server),
            left(server),
        ],
        [
            columns.text("cluster", "Cluster", 120),
            columns.node(200),
            columns.words("Value #A", "Rotation", columns.SWITCH, width=100, absent="not set"),
            columns.words("Value #B", "Serving by CSR", columns.SWITCH, width=130, absent="not set"),
            columns.duration("Value #C", "Client due in", columns.DUE, absent="never"),
            columns.duration("Value #D", "Client remaining", absent="none"),
            columns.duration("Value #E", "Serving due in", columns.DUE, absent="never"),
            columns.duration("Value #F", "Serving remaining", absent="none"),
        ],
        sort="Client due in",
    ).height(8)
