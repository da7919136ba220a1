"""Threads that work ahead: bounded, in order, ended with their iterator, their errors raised where they are awaited."""

import threading
from collections.abc import Generator, Iterator

import pytest

from colorize.album.stop import StoppedError
from colorize.film.background import map_ahead, work_ahead


def threads_of(name: str) -> list[str]:
    return [thread.name for thread in threading.enumerate() if name in thread.name]


def test_items_come_in_order_and_no_more_than_asked_are_ready() -> None:
    made = []

    def numbers() -> Iterator[int]:
        for number in range(50):
            made.append(number)
            yield number

    items = work_ahead(numbers(), 3)
    for number in range(50):
        assert next(items) == number
        assert len(made) <= number + 6  # 3 ready, one that waits, one being made, one handed on
    assert next(items, None) is None
    assert not threads_of("work_ahead")


def test_an_error_is_raised_where_the_item_would_be() -> None:
    def numbers() -> Iterator[int]:
        yield 1
        raise KeyError("two")

    items = work_ahead(numbers(), 3)
    assert next(items) == 1
    with pytest.raises(KeyError, match="two"):
        next(items)


def test_an_error_of_closing_ends_the_thread() -> None:
    def numbers() -> Iterator[int]:
        try:
            while True:
                yield 1
        finally:
            raise KeyError("the end")

    items = work_ahead(numbers(), 1)
    assert next(items) == 1
    items.close()
    assert not threads_of("work_ahead")


class NoItems:
    """What cannot be gone through."""

    def __iter__(self) -> Iterator[int]:
        raise KeyError("no items")


def test_what_cannot_be_begun_is_raised() -> None:
    with pytest.raises(KeyError, match="no items"):
        list(work_ahead(NoItems(), 1))


def test_closing_ends_the_thread_and_the_source() -> None:
    closed = threading.Event()

    def numbers() -> Iterator[int]:
        try:
            number = 0
            while True:
                yield (number := number + 1)
        finally:
            closed.set()

    before = threading.active_count()
    items = work_ahead(numbers(), 2)
    assert next(items) == 1
    items.close()
    assert closed.is_set()
    assert threading.active_count() == before


def test_stopping_is_heard_while_nothing_comes() -> None:
    waiting = threading.Event()

    def nothing() -> Iterator[int]:
        waiting.wait(60)
        yield 1

    def stopping() -> bool:
        waiting.set()
        return True

    with pytest.raises(StoppedError):
        next(work_ahead(nothing(), 1, stopping))


def test_work_ahead_of_work_ahead() -> None:
    assert list(work_ahead(work_ahead(iter(range(9)), 1), 1)) == list(range(9))


def count(ended: threading.Event | None = None) -> Generator[int, None, None]:
    """Twenty numbers, and word of when it was closed."""
    try:
        yield from range(20)
    finally:
        if ended is not None:
            ended.set()


@pytest.mark.parametrize("threads", [1, 3])
def test_map_ahead_keeps_the_order(threads: int) -> None:
    assert list(map_ahead(lambda number: number**2, count(), threads)) == [number**2 for number in range(20)]


def half(number: int) -> float:
    return 1 / (3 - number)


def test_map_ahead_raises_in_order() -> None:
    items = map_ahead(half, count(), 2)
    assert [next(items) for _ in range(3)] == [1 / 3, 1 / 2, 1]
    with pytest.raises(ZeroDivisionError):
        next(items)


def test_an_error_in_a_thread_closes_the_source() -> None:
    ended = threading.Event()
    with pytest.raises(ZeroDivisionError) as caught:
        list(map_ahead(half, count(ended), 2))
    assert ended.is_set()  # while the error, and with it the frames that raised it, are there
    assert caught.value is not None
