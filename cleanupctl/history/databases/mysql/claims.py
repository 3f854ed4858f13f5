"""The names of the user locks by which sessions share out MySQL's tables: nobody else can guess them."""

from __future__ import annotations

import hashlib
import hmac
from functools import lru_cache

_ROUNDS = 20_000
"""A few milliseconds: whoever may read the names of locks learns too little to try passwords with."""
_PURPOSE = b"cleanupctl claims"


def claim_name(password: str, what: str) -> str:
    """Return a name of at most 64 characters, the same for all sessions with one password.

    Such locks are the server's, not a database's, and every login may take one whose name it knows.
    """
    return f"cleanupctl:{hmac.new(_key(password), what.encode(), hashlib.sha256).hexdigest()[:40]}"


@lru_cache(8)
def _key(password: str) -> bytes:
    """Return what takes some time to be made of a password: once for all tables."""
    return hashlib.pbkdf2_hmac("sha256", password.encode("utf-8", "surrogatepass"), _PURPOSE, _ROUNDS)
