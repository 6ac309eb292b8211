"""What the builders print, read as lines, steps and reasons. The texts are what real builders printed."""

import pytest

from deployer.adapters.docker.build_output import BuildKitOutput, BuildOutput
from deployer.adapters.docker.errors import base_failure

BUILDKIT = """\
#1 [internal] load build definition from Dockerfile
#1 transferring dockerfile: 72B done
#1 DONE 0.1s

#4 [build 1/2] FROM docker.io/library/base:1
#4 CACHED

#5 [build 2/2] RUN echo hi
#5 0.379 hi
#5 DONE 0.4s

#6 [stage-1 2/2] COPY --from=build /a /a
#6 DONE 0.0s
"""


def _buildkit(text: str) -> tuple[BuildKitOutput, list[tuple[str, float, float | None]]]:
    progress: list[tuple[str, float, float | None]] = []
    output = BuildKitOutput(
        lambda line: None, lambda key, label, done, total, unit: progress.append((key, done, total))
    )
    for line in text.splitlines():
        output.line(line)
    return output, progress


def test_each_stage_has_its_own_bar() -> None:
    """BuildKit counts steps by stage; a cached step is a done step; loading the context is no step."""
    output, progress = _buildkit(BUILDKIT)
    assert progress == [
        *(("build", 0, 2), ("build", 1, 2), ("build", 1, 2), ("build", 2, 2)),
        *(("stage-1", 1, 2), ("stage-1", 2, 2)),
    ]
    assert output.error == ""
    assert "#5 0.379 hi" in output.lines
    assert "" not in output.lines


@pytest.mark.parametrize(
    ("printed", "error"),
    [
        ("#5 ERROR: executor failed running [/bin/sh -c false]: exit code: 1", "executor failed running"),
        (
            'ERROR: failed to solve: process "/bin/sh -c x" did not complete successfully: 1',
            'process "/bin/sh',
        ),
        (
            "ERROR: failed to build: failed to solve: dockerfile parse error on line 2",
            "dockerfile parse error",
        ),
        ("failed to solve with frontend dockerfile.v0: no build stage", "no build stage"),
    ],
)
def test_the_reason_is_found_in_every_wording(printed: str, error: str) -> None:
    """Builders of different ages wrap the same reason differently."""
    output, _ = _buildkit(printed)
    assert output.error.startswith(error)


def test_what_a_command_prints_is_no_reason() -> None:
    """An ERROR in the output of a RUN does not fail a build that went on."""
    output, _ = _buildkit("#5 0.4 ERROR: pip wants to be upgraded")
    assert output.error == ""


def test_the_classic_builder_counts_all_steps_together() -> None:
    """Its bar goes from nothing to full, and its blank lines are dropped."""
    progress: list[tuple[float, float | None]] = []
    output = BuildOutput(
        lambda line: None, lambda key, label, done, total, unit: progress.append((done, total))
    )
    for text in ("Step 1/2 : FROM base", "\n", "Step 2/2 : RUN echo hi", "hi\n"):
        output.record({"stream": text})
    output.done()
    assert progress == [(0, 2), (1, 2), (2, 2)]
    assert list(output.lines) == ["Step 1/2 : FROM base", "Step 2/2 : RUN echo hi", "hi"]


@pytest.mark.parametrize(
    ("error", "class_"),
    [
        ('Get "https://r.example/v2/": dial tcp: lookup r.example on 192.0.2.1:53: no such host', "network"),
        ('Get "https://r.example/v2/": net/http: TLS handshake timeout', "network"),
        ("pull access denied for x/y, repository does not exist or may require 'docker login'", None),
        ("manifest for r.example/x:1 not found: manifest unknown", None),
        ("The command '/bin/sh -c curl r.example # connection refused' returned a non-zero code: 7", None),
        ("COPY failed: file not found in build context or excluded by .dockerignore", None),
        ("", None),
    ],
)
def test_only_a_base_kept_away_by_the_network_is_no_fault_of_the_dockerfile(
    error: str, class_: str | None
) -> None:
    """A base that does not exist, and whatever a step of the Dockerfile does, is for its author to mend."""
    failure = base_failure(error)
    assert (failure.failure_class if failure else None) == class_


def test_layers_of_the_base_end_full() -> None:
    """A pull fills a bar for each layer; the line that names the image is no layer."""
    progress: list[tuple[str, float, float | None, str]] = []
    output = BuildOutput(
        lambda line: None, lambda key, label, done, total, unit: progress.append((key, done, total, unit))
    )
    for record in (
        {"status": "Pulling from library/python", "id": "3.12"},
        {"status": "Downloading", "progressDetail": {"current": 5, "total": 10}, "id": "a"},
        {"status": "Pull complete", "progressDetail": {}, "id": "a"},
        {"status": "Already exists", "progressDetail": {}, "id": "b"},
    ):
        output.record(record)
    assert progress == [("a", 5, 10, "B"), ("a", 10, 10, "B"), ("b", 1, 1, "layer")]
