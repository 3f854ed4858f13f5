"""A table's walk, shared by workers: every piece is worked on once, and everybody gets out of it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, cast

from cleanupctl.history.databases.shared_scan import Chunk, SharedScan

if TYPE_CHECKING:
    from cleanupctl.history.databases.target import Target


def shared() -> SharedScan[int]:
    return SharedScan(cast("Target", cast("Any", None)), 0)


def cut(start: int) -> tuple[int, bool]:
    return start + 10, start + 10 >= 30


def test_workers_take_pieces_one_after_the_other_until_the_end() -> None:
    one = shared()
    taken = [one.take(cut) for _ in range(4)]
    assert taken == [Chunk(0, 10), Chunk(10, 20), Chunk(20, 30), None]
    assert one.spent
    assert not one.finished
    for _ in range(3):
        one.complete()
    assert one.finished


def test_a_piece_that_is_given_back_is_taken_again() -> None:
    one = shared()
    one.take(cut)
    one.complete(Chunk(4, 10))
    assert one.take(cut) == Chunk(4, 10)


def test_a_piece_given_back_to_an_abandoned_walk_keeps_nobody_waiting() -> None:
    one = shared()
    one.take(cut)
    one.take(cut)
    one.complete(Chunk(4, 10))
    one.abandon()
    assert not one.finished, "another worker is still at it"
    one.complete(Chunk(12, 20))
    assert one.finished
    assert one.take(cut) is None
