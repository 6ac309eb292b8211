"""What does `deployer release` cost? (`make bench-release`)

Ratios taken in one run against bench/release-by-hand.sh, the flowchart's own commands, on the same engine and
the same sandbox; then what the orchestrator itself uses: processor, journal, start of the command.
"""

import json
import os
import platform
import subprocess
import sys
import tempfile
import time
import uuid
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from statistics import median, quantiles

from deployer.adapters.local.machine import SystemClock
from deployer.commands.project import Project as Settings
from deployer.records.journal import NAME, Journal, read
from deployer.task.definition import for_image
from tests.e2e import projects
from tests.e2e.outside import Outside
from tests.e2e.projects import Project

ROUNDS = 5
STARTS = 21
RECORDS = 1000
PROGRAMS = Path(sys.executable).parent
BY_HAND = Path(__file__).with_name("release-by-hand.sh")
HEAVY = ("boto3", "botocore", "docker", "pymongo", "rich.live")
BARE = """\
import typer

app = typer.Typer()


@app.command()
def one(name: str) -> None:
    print(name)


@app.command()
def two(name: str) -> None:
    print(name)


app()
"""


@dataclass(frozen=True)
class Run:
    """Seconds. `task`: from the container's creation to its end. `idle`: from there until the script sees it;
    unknown of the deployer."""

    total: float
    task: float
    idle: float = 0.0
    cpu: float = 0.0
    nodes: tuple[tuple[str, float], ...] = ()

    @property
    def own(self) -> float:
        return self.total - self.task


class Bench:
    """The ETL's project in a folder of its own, its sandbox, and the same job under another name by hand."""

    def __init__(self, project: Project, facts: Mapping[str, str]) -> None:
        self._project, self._outside = project, Outside(facts)
        self._environ = {
            "PATH": f"{PROGRAMS}:{os.environ['PATH']}", "HOME": str(project.folder / "home"),
            **projects.images(), **facts,
        }  # fmt: skip
        self._repository = f"{project.name}-by-hand"
        self._outside.aws("ecr").create_repository(repositoryName=self._repository)
        self._definition = project.folder / "by-hand.json"
        self._errors = project.folder / "errors.log"
        self._write_definition(facts)

    def _write_definition(self, facts: Mapping[str, str]) -> None:
        """The same task definition, of another family, with the keys that the sandbox's containers need."""
        config = Settings(self._project.folder, self._environ).config("sandbox")
        definition = for_image(config, f"{facts['SANDBOX_REGISTRY']}/{self._repository}:latest")
        keys = [{"name": name, "value": value} for name, value in config.run.environment.items()]
        container = definition["containerDefinitions"][0]
        container["environment"] = [*container["environment"], *keys]
        self._definition.write_text(json.dumps({**definition, "family": self._repository}))

    def change(self, number: int) -> None:
        """Another source: the image gets another layer."""
        with (self._project.folder / "pipeline" / "__init__.py").open("a") as file:
            file.write(f"# {number}\n")

    def deployed(self) -> Run:
        """`deployer release` without the local phase."""
        command = [
            PROGRAMS / "deployer",
            "release",
            "--env",
            "sandbox",
            "--start-at",
            "build",
            "--output",
            "json",
        ]
        seconds, cpu, output = self._timed(command, {})
        ended = json.loads(output.splitlines()[-1])
        if ended["exit_code"]:
            raise SystemExit(f"the release ended at {ended['end']}:\n{output[-3000:]}")
        shown = self._project.deployer.show(ended["release"])
        nodes = tuple((timing["node"], timing["seconds"]) for timing in shown["timings"])
        created, died = self._container(seconds, self._project.name + "@")
        return Run(seconds, died - created, cpu=cpu, nodes=nodes)

    def by_hand(self) -> Run:
        facts = self._outside.facts
        seconds, _, output = self._timed(
            [BY_HAND],
            {
                "ECR_URI": f"{facts['SANDBOX_REGISTRY']}/{self._repository}",
                "TASK_DEFINITION": str(self._definition),
                "CLUSTER": facts["SANDBOX_CLUSTER"],
                "SUBNET": facts["SANDBOX_SUBNET"],
                "SECURITY_GROUP": facts["SANDBOX_SECURITY_GROUP"],
                "LOG_GROUP": facts["SANDBOX_LOG_GROUP"],
                "CONTAINER": "forecast-etl",
                "AWS_ENDPOINT_URL": facts["SANDBOX_ENDPOINT"],
                "MONGO_URI": facts["SANDBOX_MONGO_URI"],
            },
        )
        seen, code = output.split()[-2:]
        if code != "0":
            raise SystemExit(f"the job by hand ended with exit code {code}")
        created, died = self._container(seconds, self._repository)
        return Run(seconds, died - created, idle=float(seen) - died)

    def _timed(self, command: Sequence[str | Path], environ: Mapping[str, str]) -> tuple[float, float, str]:
        """Wall seconds, processor seconds of the process itself without its children, and its output."""
        begun = time.perf_counter()
        process = subprocess.Popen(
            command,
            cwd=self._project.folder,
            env={**self._environ, **environ},
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=self._errors.open("w"),
            text=True,
        )
        assert process.stdout
        output = process.stdout.read()
        os.waitid(os.P_PID, process.pid, os.WEXITED | os.WNOWAIT)
        seconds, cpu = time.perf_counter() - begun, own_cpu(process.pid)
        if process.wait():
            errors = self._errors.read_text()[-3000:]
            raise SystemExit(
                f"{command[0]} ended with exit code {process.returncode}:\n{output[-3000:]}{errors}"
            )
        return seconds, cpu, output

    def _container(self, seconds: float, image: str) -> tuple[float, float]:
        """When the newest container of that image was made, and when it ended, as the engine tells it."""
        since, until = time.time() - seconds - 1, time.time() + 1
        listed = subprocess.run(
            ["docker", "events", f"--since={since:.0f}", f"--until={until:.0f}", "--filter=type=container",
             "--filter=event=create", "--filter=event=die", "--format={{json .}}"],
            capture_output=True, text=True, check=True,
        )  # fmt: skip
        at = {}
        for event in map(json.loads, listed.stdout.splitlines()):
            if image in event["Actor"]["Attributes"]["image"]:
                at[event["Action"]] = event["timeNano"] / 1e9
        return at["create"], at["die"]


def own_cpu(pid: int) -> float:
    """User and system seconds of a process that has ended and is not waited for yet (proc(5), stat)."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def told(runs: Sequence[Run]) -> str:
    return (
        f"{median(run.own for run in runs):6.2f} s  (in all {median(run.total for run in runs):6.2f} s,"
        f" of which the task {median(run.task for run in runs):5.2f} s)"
    )


def compare(title: str, bench: Bench, change: Callable[[int], None], wanted: float) -> None:
    """By hand and with the deployer in turn, several times; the ratio is that of the medians."""
    hand, ours = [], []
    for number in range(ROUNDS):
        change(2 * number)
        hand.append(bench.by_hand())
        change(2 * number + 1)
        ours.append(bench.deployed())
    own, theirs = median(run.own for run in ours), median(run.own for run in hand)
    tireless = median(run.own - run.idle for run in hand)
    print(f"\n{title}, without the local phase and the task's own time, medians of {ROUNDS}")
    print(f"  by hand   {told(hand)}")
    print(f"  deployer  {told(ours)}")
    print(f"  ratio {own / theirs:.2f} (at most {wanted} wanted)", end="; ")
    print(
        f"{own / tireless:.2f} of what the script takes ({tireless:.2f} s) without the pauses of its waiting"
    )
    for node, _ in ours[0].nodes:
        seconds = median(dict(run.nodes)[node] for run in ours)
        if seconds >= 0.02:
            print(f"    {node:16}{seconds:6.2f} s")
    print(f"  the deployer's own processor time: {median(run.cpu for run in ours):.2f} s (under 2 wanted)")


def journal(folder: Path, model: Path) -> None:
    """Appending the records of a real release over and over, and what the disk alone takes of it."""
    records = [
        {key: value for key, value in record.items() if key not in ("seq", "kind", "time")}
        for record in read(model)
    ]
    ours, disk = [], []
    log = Journal.create(folder / NAME, SystemClock(), release="bench", env="bench", flow="", state={})
    with (folder / "bare").open("ab", buffering=0) as file:
        for number in range(RECORDS):
            fields = records[number % len(records)]
            line = json.dumps(fields).encode()
            begun = time.perf_counter()
            log.append("finished", **fields)
            between = time.perf_counter()
            file.write(line)
            os.fsync(file.fileno())
            ours.append(between - begun)
            disk.append(time.perf_counter() - between)
    log.close()
    print(
        f"\nJournal: {RECORDS:,} records of {model.stat().st_size / len(records):,.0f} bytes, each with fsync"
    )
    for name, times in (("append", ours), ("the disk alone", disk)):
        cuts = quantiles(times, n=100)
        print(f"  {name:15} median {median(times) * 1000:.2f} ms, p99 {cuts[98] * 1000:.2f} ms")
    print("  (a median under 5 ms is wanted)")


def starting(folder: Path) -> None:
    """`deployer --help` and that of a program with two commands in turn, and what the first one loads."""
    bare = folder / "bare.py"
    bare.write_text(BARE)
    times: dict[str, list[float]] = {"deployer": [], "bare": []}
    for _ in range(STARTS):
        for name, command in (("bare", [sys.executable, bare]), ("deployer", [PROGRAMS / "deployer"])):
            begun = time.perf_counter()
            subprocess.run([*command, "--help"], check=True, capture_output=True)
            times[name].append(time.perf_counter() - begun)
    ours, theirs = median(times["deployer"]), median(times["bare"])
    print(
        f"\nMedians of {STARTS}: deployer --help {ours * 1000:.0f} ms, a bare program {theirs * 1000:.0f} ms"
    )
    print(f"  ratio {ours / theirs:.2f} (at most 1.2 wanted); loads of {', '.join(HEAVY)}: {loaded()}")


def loaded() -> str:
    look = f"print(*[name for name in {HEAVY} if name in sys.modules], sep=', ')"
    code = f"import sys\nfrom deployer.cli import app\ntry:\n    app(['--help'])\nfinally:\n    {look}"
    done = subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, text=True)
    return done.stdout.splitlines()[-1] or "none"


def version(*command: str) -> str:
    done = subprocess.run(
        command,
        capture_output=True,
        text=True,
        env={**os.environ, "PATH": f"{PROGRAMS}:{os.environ['PATH']}"},
    )
    return done.stdout.strip()


def measure(project: Project) -> None:
    up = project.deployer("sandbox", "up")
    if up.code:
        raise SystemExit(up.said())
    bench = Bench(project, projects.exported(project.deployer("sandbox", "env").stdout))
    bench.by_hand()
    bench.deployed()
    compare("Unchanged release", bench, lambda _: None, 0.2)
    compare("Changed release", bench, bench.change, 0.7)
    model = next((project.folder / ".deployer" / "releases").glob(f"*/{NAME}"))
    journal(project.folder / "bench", model)
    starting(project.folder)


def main() -> None:
    print(f"{platform.platform()}, Python {platform.python_version()}")
    print(f"{os.cpu_count()} cores, load {os.getloadavg()[0]:.1f} before")
    print(f"{version('aws', '--version')}; {version('docker', '--version')}")
    name = f"bench-{uuid.uuid4().hex[:8]}"
    with tempfile.TemporaryDirectory() as folder:
        project = projects.etl(Path(folder) / "etl", name)
        try:
            measure(project)
        finally:
            project.deployer("sandbox", "down", "--purge")
            remove_images(name)


def remove_images(name: str) -> None:
    """By their IDs: what an unchanged tag has moved away from has none any more."""
    command = ["docker", "images", "--format", "{{.ID}} {{.Repository}}"]
    listed = subprocess.run(command, capture_output=True, text=True, check=True).stdout.splitlines()
    ours = {line.split()[0] for line in listed if name in line or line.endswith(" by-hand")}
    subprocess.run(["docker", "rmi", "--force", *ours], capture_output=True)


if __name__ == "__main__":
    main()
