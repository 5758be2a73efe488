"""Doing the same for many cases at once, in order, without running far ahead of the one who takes the results."""

from __future__ import annotations

import multiprocessing
import os
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from typing import TypeVar

Item = TypeVar("Item")
Out = TypeVar("Out")


def in_order(
    function: Callable[[Item], Out], items: Iterable[Item], workers: int
) -> Iterator[tuple[Item, Future[Out]]]:
    """Each item with its finished future, in order; at most two more than `workers` are held at a time.

    Threads, because reading, compressing and hashing let go of the interpreter, and tensorstore survives no fork.
    """
    pool = ThreadPoolExecutor(max(1, workers))
    waiting: deque[tuple[Item, Future[Out]]] = deque()
    try:
        for item in items:
            waiting.append((item, pool.submit(function, item)))
            if len(waiting) >= workers + 2:
                yield _finished(waiting)
        while waiting:
            yield _finished(waiting)
    finally:
        pool.shutdown(wait=True, cancel_futures=True)


def end_with_parent() -> None:
    """End this process when the one that started it ends, killed without a word perhaps: nobody waits for work then."""
    parent = multiprocessing.parent_process()
    if parent is not None:
        parent.join()
        os._exit(1)


def _finished(waiting: deque[tuple[Item, Future[Out]]]) -> tuple[Item, Future[Out]]:
    item, future = waiting.popleft()
    future.exception()
    return item, future
