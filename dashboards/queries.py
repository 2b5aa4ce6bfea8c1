"""PromQL over the raw metrics alone: a panel works where no recording rule is loaded.

Two pods of one node overlap during an update, so joins are made per target and results are per node.
"""

from typing import Final

INFO: Final = "kubepki_certificate_info"
END: Final = "kubepki_certificate_effective_not_after_timestamp_seconds"
DUE: Final = "kubepki_certificate_rotation_due_timestamp_seconds"
AFTER: Final = "kubepki_certificate_not_after_timestamp_seconds"
BEFORE: Final = "kubepki_certificate_not_before_timestamp_seconds"

TARGET: Final = "cluster, job, instance, pod"
KEY: Final = f"{TARGET}, path, entry, index"
CERTIFICATE: Final = "cluster, node, role, path, entry, index"
"""What identifies a certificate whatever pod reports it."""

FILTER: Final = ('role=~"$role"', 'state=~"$state"')
IN_USE: Final = 'state="in_use"'
UNUSED: Final = 'state!="in_use"'
AUTHORITY: Final = 'is_ca="true"'
LEAF: Final = 'is_ca="false"'
LEAF_BY_PLACE: Final = (
    AUTHORITY, 'role!~"(.+-)?ca|other|trust-bundle"', 'entry!~"cluster/.*"', 'index="0"'
)  # fmt: skip
"""A server's or client's own certificate that says that it is a CA, as the shipped alerts know it."""
SELF_MADE: Final = 'role="kubelet-server-self-signed"'
NOT_SELF_MADE: Final = 'role!="kubelet-server-self-signed"'
SEVERITIES: Final = ("critical", "warning", "info")
DAY: Final = 86400
WEEK: Final = 7 * DAY


def select(metric: str, *matchers: str) -> str:
    """Select a metric of the clusters and nodes chosen; ``.*`` also matches a label that is absent."""
    chosen = ", ".join(('cluster=~"$cluster"', 'node=~"$node"', *matchers))
    return f"{metric}{{{chosen}}}"


def remaining(*matchers: str) -> str:
    """Seconds until certificates really stop working."""
    return f"({select(END, *matchers)} - time())"


def leaves(metric: str, *matchers: str) -> str:
    """Select a metric of what is judged as a server's or client's own certificate."""
    return f"({select(metric, *matchers, LEAF)} or {select(metric, *matchers, *LEAF_BY_PLACE)})"


def rows(labels: str, values: str, *matchers: str) -> str:
    """Give each value what ``kubepki_certificate_info`` says of its certificate, reduced to *labels*."""
    return f"min by ({labels}) (\n{select(INFO, *matchers)}\n* on ({KEY}) group_left ()\n({values}))"


def count(vector: str) -> str:
    """Count series, 0 where there is none."""
    return f"count({vector}) or vector(0)"


def by_week(*matchers: str) -> str:
    """Count ends of leaves by role and by the Monday (UTC) of their week, in the label ``week``."""
    ends = f"min by ({CERTIFICATE}) ({leaves(END, *matchers)})"
    monday = f"(floor(({ends} - {4 * DAY}) / {WEEK}) * {WEEK} + {4 * DAY})"
    number = f"year({monday}) * 10000 + month({monday}) * 100 + day_of_month({monday})"
    return (
        f'label_replace(count_values by (role) ("week", {number}),'
        ' "week", "$1-$2-$3", "week", "(.{4})(.{2})(.{2})")'
    )


def per_node(value: str) -> str:
    """Reduce to the least value of each node, NaN for a node that has none."""
    return f"min by (cluster, node) ({value} or {select('kubepki_node_info')} * NaN)"


def findings_of(severity: str, *matchers: str) -> str:
    """List the findings of one severity in files that are in use."""
    found = select("kubepki_finding", f'severity="{severity}"', IN_USE, *matchers)
    return f"group by (check, {CERTIFICATE}) ({found})"


def findings(*matchers: str) -> str:
    """Rank findings by severity, 1 the worst, and name the meaning of each check."""
    labels = f"{CERTIFICATE}, check, meaning"
    ranked = []
    for rank, severity in enumerate(SEVERITIES, start=1):
        found = select("kubepki_finding", f'severity="{severity}"', *matchers)
        meant = f"{found} * on ({TARGET}, check) group_left (meaning) {select('kubepki_check_info')}"
        ranked.append(f"{rank} * max by ({labels}) ({meant})")
    return " or ".join(ranked)


def failures(labels: str, *matchers: str) -> str:
    """List what could not be read; a file that is not there is no matter of reading."""
    failed = select("kubepki_document_failure", 'reason!="not_found"', *matchers)
    return f"group by ({labels}) ({failed})"


def missing(labels: str, *matchers: str) -> str:
    """List files that a component needs and that are not there; of two pods, one that sees it is enough."""
    needed = select("kubepki_reference_present", 'requirement="required"', *matchers)
    return f"max by ({labels}) ({needed}) == 0"
