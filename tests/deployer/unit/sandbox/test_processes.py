"""Finding out which processes are ours."""

import os
import sys
from pathlib import Path

from deployer.sandbox import processes
from deployer.sandbox.waiting import wait_for


def test_a_living_process_is_read_with_its_command_and_start() -> None:
    """This very process has its own pid, a start in the past and this interpreter as its command."""
    found = processes.read(os.getpid())
    assert found is not None
    assert found.command[0].rpartition("/")[2].startswith("python") or found.command[0] == sys.executable
    assert found.since.timestamp() <= Path(f"/proc/{os.getpid()}/stat").stat().st_mtime + 1


def test_a_pid_that_nobody_has_is_none() -> None:
    """The kernel never gives a pid above its maximum."""
    assert processes.read(int(Path("/proc/sys/kernel/pid_max").read_text()) + 1) is None


def test_a_zombie_is_dead() -> None:
    """A child that ended and that nobody waited for is not alive."""
    pid = os.posix_spawn("/bin/true", ["true"], {})
    os.waitid(os.P_PID, pid, os.WEXITED | os.WNOWAIT)
    assert processes.read(pid) is None
    os.waitpid(pid, 0)


def test_a_process_is_found_by_two_arguments_in_a_row_only() -> None:
    """Its path alone, as an editor or a tail has it, does not make a process ours."""
    here = processes.read(os.getpid())
    assert here is not None
    pair = (here.command[0], here.command[1])
    assert here.pid in [process.pid for process in processes.find(pair)]
    assert processes.find((here.command[0], here.command[0])) == []


def test_a_process_that_became_another_is_not_stopped() -> None:
    """With the same pid and another start it is not the process that was meant: it gets no signal."""
    here = processes.read(os.getpid())
    assert here is not None
    processes.stop(processes.Process(here.pid, here.started - 1, here.command), grace=0)


def test_waiting_ends_with_the_answer_or_with_the_time() -> None:
    """The first true answer is returned at once, the last false one when the seconds are over."""
    clock = [0.0]

    def sleep(seconds: float) -> None:
        clock[0] += seconds

    def wait(check_at: float) -> bool:
        clock[0] = 0.0
        return wait_for(lambda: clock[0] >= check_at, 2, pause=0.5, sleep=sleep, now=lambda: clock[0])

    assert (wait(1.0), clock[0]) == (True, 1.0)
    assert (wait(9.0), clock[0]) == (False, 2.0)
