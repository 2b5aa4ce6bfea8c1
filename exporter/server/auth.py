"""Basic authentication (RFC 7617) against bcrypt hashes, such that a flood of guesses delays no scrape."""

import base64
import binascii
import hashlib
import hmac
import re
import secrets
import threading
from collections.abc import Mapping
from enum import StrEnum
from typing import Final

REMEMBERED: Final = 64
"""Good passwords whose slow check need not be repeated."""
LANES: Final = 16
LANE_LENGTH: Final = 4
"""Checks that wait or run for the addresses of one lane; further ones are turned away."""
MAX_COST: Final = 18
"""A check of this cost takes about half a minute; beyond, a login can only be a mistake."""
BCRYPT_BYTES: Final = 72
"""What bcrypt looks at; every implementation ignores the rest, ours would refuse it."""

_HASH: Final = re.compile(r"\$2[aby]\$(\d\d)\$[./A-Za-z0-9]{53}\Z")


class Verdict(StrEnum):
    """What an Authorization header field is worth."""

    GOOD = "good"
    BAD = "bad"
    BUSY = "busy"
    """Too many passwords are being checked for this client's address."""


def cost_of(hashed: str) -> int | None:
    """Tell how slow a bcrypt hash is, as a power of two; None where it is none."""
    found = _HASH.match(hashed)
    return int(found[1]) if found and 4 <= int(found[1]) <= MAX_COST else None  # noqa: PLR2004 - bcrypt's least


class Passwords:
    """The users, their hashes, and a short memory of who was right."""

    def __init__(self, users: Mapping[str, str]) -> None:
        self._hashes = {user.encode(): hashed.encode() for user, hashed in users.items()}
        cost = max((cost_of(hashed) or 4 for hashed in users.values()), default=4)
        # Nobody's hash, as slow as the users' own: an unknown name takes as long as a wrong password.
        self._nobody = b"$2b$%02d$" % cost + b"." * 53
        self._secret = secrets.token_bytes(32)
        self._good: dict[bytes, None] = {}
        self._lanes = tuple(_Lane() for _ in range(LANES))
        self._slot = threading.Lock()

    def judge(self, authorization: str, peer: str) -> Verdict:
        """Check the credentials; slow the first time, and one at a time for all clients."""
        if (credentials := _credentials(authorization)) is None:
            return Verdict.BAD
        user, password = credentials
        hashed = self._hashes.get(user, self._nobody)
        # A MAC under a key of this process: the memory holds nothing that gives a password away.
        parts = b"".join(len(part).to_bytes(4, "big") + part for part in (user, hashed, password))
        key = hmac.digest(self._secret, parts, hashlib.sha256)
        if key in self._good:
            return Verdict.GOOD
        lane = self._lanes[hash(peer) % LANES]
        if not lane.places.acquire(blocking=False):
            return Verdict.BUSY
        try:
            with lane.turn, self._slot:  # each lane sends one to the slot, so no lane shuts out another
                is_good = key in self._good or (_matches(password, hashed) and user in self._hashes)
        finally:
            lane.places.release()
        if is_good:
            self._remember(key)
        return Verdict.GOOD if is_good else Verdict.BAD

    def _remember(self, key: bytes) -> None:
        with self._slot:
            self._good[key] = None
            while len(self._good) > REMEMBERED:
                del self._good[next(iter(self._good))]


class _Lane:
    """The addresses that wait for one another."""

    __slots__ = ("places", "turn")

    def __init__(self) -> None:
        self.places = threading.BoundedSemaphore(LANE_LENGTH)
        self.turn = threading.Lock()


def _credentials(authorization: str) -> tuple[bytes, bytes] | None:
    scheme, _, encoded = authorization.partition(" ")
    if scheme.lower() != "basic":
        return None
    try:
        user, colon, password = base64.b64decode(encoded.strip(), validate=True).partition(b":")
    except (binascii.Error, ValueError):
        return None
    return (user, password) if colon else None


def _matches(password: bytes, hashed: bytes) -> bool:
    import bcrypt  # noqa: PLC0415 - only those who set passwords pay for it

    try:
        return bcrypt.checkpw(password[:BCRYPT_BYTES], hashed)
    except ValueError:
        return False
