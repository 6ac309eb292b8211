"""`deployer logs` of a job that prints what jobs print."""

import json

from tests.e2e.projects import Project

ABOUT_A_MEGABYTE = "0123456789abcdef" * 65_000
JOB = r"""
import sys, time
time.sleep(1)
say = lambda text: print(text, flush=True)
say("été ☀ 日本語 🚀")
say("")
say("   indented, and a tab\there")
say("\x1b[31mred\x1b[0m and \x1b[2Jcleared")
say('{"level": "warning", "message": "rejected", "rows": 3, "place": "Lille"}')
say('{"message": "cut \\ud83d"}')
say("10 %\r100 %\r")
say("0123456789abcdef" * 65_000)
say("last")
sys.exit(7)
"""
SHOWN = [
    "été ☀ 日本語 🚀",
    "",
    "   indented, and a tab  here",
    "red and cleared",
    "WARNING rejected rows=3 place=Lille",
    "cut \\ud83d",
    "10 %",
    "100 %",
]


def test_whatever_a_job_prints_is_shown(job: Project) -> None:
    """Followed from before its first line to its exit code: each line once, in order, none of it harmful."""
    (job.folder / "job.py").write_text(JOB)
    started = job.release("--start-at", "build", "--detach")
    shown = job.deployer("logs", "--follow", "--exit-code-from-task")
    lines = shown.stdout.splitlines()
    assert lines[:8] == SHOWN, shown.said()
    assert "".join(lines[8:]) == ABOUT_A_MEGABYTE + "last"
    assert shown.code == 7
    assert "exit code 7" in shown.stderr

    again = job.deployer("logs", "--release", started.release, "--output", "json", "--grep", "red|ROW|last")
    events = [json.loads(line) for line in again.stdout.splitlines()]
    texts = [event["text"] for event in events if event["event"] == "log"]
    assert texts[0] == "\x1b[31mred\x1b[0m and \x1b[2Jcleared"
    assert texts[-1] == "last"
    assert events[-1]["event"] == "ended"
    assert again.code == 0

    last = ("logs", "--all-tasks", "--grep", "^last$")  # jobs of other tests share the group
    everything = job.deployer(*last)
    assert "the last 24h; --since 7d" in everything.stderr
    assert everything.stdout.count("last") == 1
    assert "--since" not in job.deployer(*last, "--since", "7d").stderr
