"""A table's walk, shared by workers: every piece is worked on once, and everybody gets out of it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, cast

from cleanupctl.history.databases.shared_scan import Piece, Walk

if TYPE_CHECKING:
    from cleanupctl.history.databases.database import Target


def walk() -> Walk[int]:
    return Walk(cast("Target", cast("Any", None)), 0)


def cut(start: int) -> tuple[int, bool]:
    return start + 10, start + 10 >= 30


def test_workers_take_pieces_one_after_the_other_until_the_end() -> None:
    one = walk()
    taken = [one.take(cut) for _ in range(4)]
    assert taken == [Piece(0, 10), Piece(10, 20), Piece(20, 30), None]
    assert one.spent
    assert not one.finished
    for _ in range(3):
        one.settle()
    assert one.finished


def test_a_piece_that_is_given_back_is_taken_again() -> None:
    one = walk()
    one.take(cut)
    one.settle(Piece(4, 10))
    assert one.take(cut) == Piece(4, 10)


def test_a_piece_given_back_to_an_abandoned_walk_keeps_nobody_waiting() -> None:
    one = walk()
    one.take(cut)
    one.take(cut)
    one.settle(Piece(4, 10))
    one.abandon()
    assert not one.finished, "another worker is still at it"
    one.settle(Piece(12, 20))
    assert one.finished
    assert one.take(cut) is None
