"""PromQL over CAs, which are the same CA in however many files and on however many nodes they are."""

from typing import Final

from dashboards.queries import (
    AUTHORITY,
    END,
    FILTER,
    IN_USE,
    INFO,
    KEY,
    LEAF_BY_PLACE,
    NOT_SELF_MADE,
    TARGET,
    rows,
    select,
)

AUTHORITIES: Final = (IN_USE, AUTHORITY, NOT_SELF_MADE)
LABELS: Final = "cluster, role, subject, fingerprint"
_LEAVES: Final = select(INFO, IN_USE, *LEAF_BY_PLACE)
"""What says that it is a CA and is judged as the leaf that it is used as."""
_SETTING: Final = f"{TARGET}, component, setting, path, entry"


def nodes() -> str:
    """Count the nodes that hold each CA."""
    held = select(INFO, *AUTHORITIES, FILTER[0])
    return f"count by ({LABELS}) (group by (cluster, node, role, subject, fingerprint) ({held}))"


def ends() -> str:
    """Tell when each CA really stops working, whatever number of files hold it."""
    return rows(LABELS, select(END), *AUTHORITIES, FILTER[0])


def ends_of_needed() -> str:
    """Tell when each CA stops working on which something hangs."""
    needed = f"({select(END)} unless on ({KEY}) ({unneeded()} or {_LEAVES}))"
    return rows(LABELS, needed, *AUTHORITIES, FILTER[0])


def issued() -> str:
    """Count, for each CA, the certificates in use that end with it on their best path."""
    once = f"group by (cluster, node, path, entry, index, fingerprint) ({_issuers()})"
    counted = f"count by (cluster, fingerprint) ({once})"
    return f"{nodes()} * 0 + on (cluster, fingerprint) group_left () {counted} or {nodes()} * 0"


def unneeded() -> str:
    """Select CAs in use that issued nothing in use, sign nothing and end before another that is trusted.

    An old CA that is left in a bundle on purpose may expire; neither does the alert on CAs mind.
    """
    held = select(INFO, *AUTHORITIES)
    end = f"max by ({TARGET}, fingerprint) ({held} * on ({KEY}) group_left () {select(END)})"
    trusted = (
        f"group by ({_SETTING}, fingerprint) ({select('kubepki_trust_anchor_info')})"
        f" * on ({TARGET}, fingerprint) group_left () {end}"
    )
    last = f"({trusted}) == on ({_SETTING}) group_left () max by ({_SETTING}) ({trusted})"
    needed = f"{_issuers()} or ({last}) or ({_signers()})"
    return f"({held} unless on ({TARGET}, fingerprint) ({needed}) unless on ({KEY}) {_LEAVES})"


def _signers() -> str:
    """Select the CAs with which the controller manager signs, each alone in its file."""
    signing = select("kubepki_reference_present", 'setting=~"cluster-signing-(.+-)?cert-file"')
    first, second = select(INFO, *AUTHORITIES, 'index="0"'), select(INFO, 'index="1"')
    return f"{first} and on ({TARGET}, path) {signing} unless on ({TARGET}, path) {second}"


def _issuers() -> str:
    certificates = select(INFO, IN_USE, 'issuer_fingerprint!=""')
    return f'label_replace({certificates}, "fingerprint", "$1", "issuer_fingerprint", "(.+)")'
