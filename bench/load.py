"""Writes 5,000 rows a second, evenly: 50 transactions of 100, each row with its own time."""

import threading
import time

from workloads import TIMED_INSERT, TIMED_ROWS_A_STATEMENT, TIMED_STATEMENTS_A_SECOND


class Load:
    """Writes into `table` from start() to stop(), on a thread of its own.

    rows      how many are committed
    behind_s  by how much the latest statement came too late: the machine is overloaded then
    """

    def __init__(self, server, table):
        self._connection = server.connect()
        self._connection.prepare_threshold = 0
        self._statement = TIMED_INSERT.format(t=table)
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._work, name="load", daemon=True)
        self._failure = None
        self.rows = 0
        self.behind_s = 0.0

    def start(self):
        self._thread.start()
        return self

    def _work(self):
        started, statements = time.monotonic(), 0
        try:
            while not self._stopping.is_set():
                self._connection.execute(self._statement)
                self.rows += TIMED_ROWS_A_STATEMENT
                statements += 1
                wait = started + statements / TIMED_STATEMENTS_A_SECOND - time.monotonic()
                self.behind_s = max(self.behind_s, -wait)
                if wait > 0:
                    self._stopping.wait(wait)
        except BaseException as error:  # raised where stop() is called
            self._failure = error

    def stop(self):
        """Returns how many rows were written in all."""
        self._stopping.set()
        if self._thread.is_alive():
            self._thread.join(30)
        self._connection.close()
        if self._failure:
            raise self._failure
        return self.rows

    def __enter__(self):
        return self.start()

    def __exit__(self, kind, *_):
        try:
            self.stop()
        except BaseException:
            if kind is None:
                raise
