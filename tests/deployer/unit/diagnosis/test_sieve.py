"""Of a long log nothing that is new is left out, and memory does not grow with it."""

from collections.abc import Iterator

from deployer.diagnosis.classify import classify_log
from deployer.diagnosis.model import Evidence
from deployer.diagnosis.sieve import LAST, MAX_KEPT, SHORT, sifted
from deployer.diagnosis.signature import TASK_LOG

BLOCK = 256 * 1024
QUOTA = b"pymongo.errors.OperationFailure: you are over your space quota, using 513 MB of 512 MB\n"


def healthy(size: int, middle: bytes = b"") -> Iterator[bytes]:
    """A log of about that size whose every line has words of trouble, in blocks; `middle` in it once."""
    written, number, block = 0, 0, b""
    while written < size:
        number += 1
        block += b"2026-03-01T05:00:%02dZ INFO batch %d done, 0 errors, timeout=30 id=%08x\n" % (
            number % 60,
            number,
            number * 2654435761 % 2**32,
        )
        if len(block) > BLOCK:
            if middle and written <= size // 2 < written + len(block):
                block += middle
            yield block
            written, block = written + len(block), b""
    yield block


def test_the_middle_of_a_long_log_is_not_overlooked() -> None:
    """One line that no other is like is found among a hundred thousand that look like trouble too."""
    diagnosis = classify_log(healthy(8_000_000, QUOTA), Evidence("", TASK_LOG))

    assert (diagnosis.cause.failure_class, diagnosis.cause.subcause) == ("mongodb", "storage-quota")
    assert "513 MB" in diagnosis.cause.remedy


def test_a_long_healthy_log_is_silent_and_little_of_it_is_kept() -> None:
    """Lines of one shape are read once; the last ones always."""
    kept = list(sifted(healthy(4_000_000)))

    assert len(kept) < 2 * LAST + 2_000 < MAX_KEPT
    assert classify_log(healthy(4_000_000), Evidence("", TASK_LOG)).cause.confidence == 0


def test_a_short_log_is_read_whole_and_numbered() -> None:
    """Every line of it, from 1; bytes that are not UTF-8 are shown as such and stop nothing."""
    assert list(sifted([b"one\ntw\xff", b"o\n"])) == [(1, "one"), (2, "tw\ufffdo"), (3, "")]
    assert SHORT < 4_000_000


def test_a_line_is_whole_though_it_lies_in_two_blocks() -> None:
    """Blocks end where they end; lines do not."""
    first, second = QUOTA[:20], QUOTA[20:]
    blocks = [*healthy(SHORT * 2), first, second, *healthy(BLOCK)]

    assert QUOTA.decode().strip() in [line for _, line in sifted(blocks)]
