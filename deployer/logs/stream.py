"""One log stream, read on from where it is."""

from deployer.ports import LogPage, Logs
from deployer.retry import RetryPolicy


class StreamReader:
    """Each event of a stream once, in order.

    `task` is the ID at the end of its name; `exists` says whether the stream was there at the last read.
    """

    def __init__(
        self,
        logs: Logs,
        group: str,
        name: str,
        retry: RetryPolicy,
        *,
        cursor: str | None = None,
        since: float = 0.0,
    ) -> None:
        self.name = name
        self.task = name.rsplit("/", 1)[-1]
        self.exists = cursor is not None
        self._logs, self._group, self._retry = logs, group, retry
        self._cursor, self._since = cursor, since

    def read(self) -> tuple[LogPage, bool]:
        """The next page, and whether more may be right behind it.

        The end of a stream is where the cursor comes back unchanged; an empty page alone does not say it.
        """
        page = self._retry(lambda: self._logs.read(self._group, self.name, self._cursor, self._since))
        moved = page.exists and self._cursor is not None and page.cursor != self._cursor
        self.exists = page.exists
        self._cursor = page.cursor
        return page, bool(page.texts) or moved
