"""Work that is done again and again until somebody stops the program."""

import signal
import threading
from collections.abc import Callable


def until_stopped(work: Callable[[], object], every_s: int) -> None:
    """Do `work` now and every `every_s` seconds, until SIGTERM or SIGINT; what is under way is finished."""
    stopped = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stopped.set())
    while not stopped.is_set():
        work()
        stopped.wait(every_s)
