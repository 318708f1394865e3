"""Doing several things at the same moment."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Any

from engine.errors import KaitongError


def at_once(*calls: Callable[[], Any]) -> list[Any]:
    """Starts all calls at the same moment; gives what each returned or raised."""
    barrier, results = threading.Barrier(len(calls)), [None] * len(calls)

    def work(position: int, call: Callable[[], Any]) -> None:
        barrier.wait()
        try:
            results[position] = call()
        except KaitongError as e:
            results[position] = e

    threads = [threading.Thread(target=work, args=pair) for pair in enumerate(calls)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
        assert not thread.is_alive()
    return results
