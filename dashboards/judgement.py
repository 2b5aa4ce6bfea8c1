"""PromQL that judges how urgent certificates are."""

from dashboards.authorities import AUTHORITIES, unneeded
from dashboards.queries import (
    AFTER,
    AUTHORITY,
    BEFORE,
    DAY,
    DUE,
    END,
    IN_USE,
    KEY,
    LEAF,
    LEAF_BY_PLACE,
    NOT_SELF_MADE,
    SELF_MADE,
    UNUSED,
    remaining,
    select,
)


def urgency_of_leaves(*matchers: str) -> str:
    """Judge certificates in use as the shipped alerts do: 0 fine, 1 soon, 2 urgent, 3 expired.

    A threshold is a number of days or a share of the certificate's own life, whichever is less. What rotates
    by itself is urgent when that is overdue, not before; the pair that a kubelet made itself is at most soon.
    """
    unflagged, flagged = (
        _steps(30, 0.25, 7, 0.10, *matchers, IN_USE, *leaf, NOT_SELF_MADE)
        for leaf in ((LEAF,), LEAF_BY_PLACE)
    )
    return "\nor ".join(
        (
            f"({unflagged} unless on ({KEY}) {DUE})",
            f"({flagged} unless on ({KEY}) {DUE})",
            _rotating(*matchers, IN_USE),
            _below(30, 0.25, *matchers, IN_USE, LEAF, SELF_MADE),
        )
    )


def urgency(*matchers: str) -> str:
    """Judge CAs too, and what is not in use: -1."""
    return "\nor ".join(
        (
            urgency_of_leaves(*matchers),
            f"({_steps(180, 0.10, 30, 0.05, *matchers, *AUTHORITIES)})",
            _below(30, 0.25, *matchers, IN_USE, AUTHORITY, SELF_MADE),
            f"({select(END, *matchers, UNUSED)} * 0 - 1)",
        )
    )


def urgency_of_all(*matchers: str) -> str:
    """Judge everything, with -2 for a CA in use that nothing needs."""
    idle = f"({select(END, *matchers, *AUTHORITIES)} * 0 - 2 and on ({KEY}) {unneeded()})"
    return f"{idle}\nor on ({KEY}) ({urgency(*matchers)})"


def soonest(limit: int, *matchers: str) -> str:
    """Select the ends that come first, CAs that nothing needs aside.

    Those that tie with the last are in, so that every column of a table has the same rows.
    """
    ends = f"({select(END, *matchers)} unless on ({KEY}) {unneeded()})"
    return f"({ends} <= scalar(max(bottomk({limit}, {ends}))))"


def _below(days: int, share: float, *matchers: str) -> str:
    life = f"({select(AFTER, *matchers)} - {select(BEFORE, *matchers)})"
    return f"({remaining(*matchers)} < bool clamp_max({share} * {life}, {days * DAY}))"


def _steps(days: int, share: float, fewer_days: int, lesser_share: float, *matchers: str) -> str:
    return " + ".join(
        (
            _below(days, share, *matchers),
            _below(fewer_days, lesser_share, *matchers),
            f"({remaining(*matchers)} <= bool 0)",
        )
    )


def _rotating(*matchers: str) -> str:
    overdue = f"2 * ({select(DUE, *matchers)} < bool time())"
    ended = f"3 * ({select(END, LEAF)} <= bool time())"
    return f"clamp_max({overdue} + on ({KEY}) group_left () {ended}, 3)"
