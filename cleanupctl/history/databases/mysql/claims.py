"""The names of the user locks by which sessions share out MySQL's tables: nobody else can guess them."""

from __future__ import annotations

import hashlib
from functools import lru_cache

_ROUNDS = 20_000
"""A few milliseconds: whoever may read the names of locks learns too little to try passwords with."""


@lru_cache(64)
def claim_name(password: str, what: str) -> str:
    """Return a name of at most 64 characters, the same for all sessions with one password.

    Such locks are the server's, not a database's, and every login may take one whose name it knows.
    """
    digest = hashlib.pbkdf2_hmac("sha256", password.encode("utf-8", "surrogatepass"), what.encode(), _ROUNDS)
    return f"cleanupctl:{digest.hex()[:40]}"
