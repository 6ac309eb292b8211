"""What a Dockerfile says, in the spellings that people use: what it copies, from which images, and whether it
needs BuildKit."""

import pytest

from deployer.adapters.local.dockerfile import Dockerfile, parse, platform_arguments


def sources(text: str) -> list[str]:
    return [source for stage in parse(text, {}).stages for _, source in stage.sources]


@pytest.mark.parametrize(
    ("lines", "expected"),
    [
        ("COPY jobs/load.py rates.csv /srv/", ["jobs/load.py", "rates.csv"]),
        ('COPY ["load it.py", "/srv/"]', ["load it.py"]),
        ("COPY --chown=10:10 --chmod=0755 a b c /srv/", ["a", "b", "c"]),
        ("COPY\tload.py\t/srv/", ["load.py"]),
        ("copy load.py /srv/", ["load.py"]),
        ("COPY \"load.py\" 'rates.csv' /srv/", ["load.py", "rates.csv"]),
        ("COPY load.py\\\n  rates.csv \\\n# both\n\n  /srv/", ["load.py", "rates.csv"]),
        ("COPY load.py \\  \r\n  /srv/\r\nCOPY b /b\r", ["load.py", "b"]),
        ("ENV D=jobs\nCOPY ${D}/load.py ${E:-src}/x /srv/", ["jobs/load.py", "src/x"]),
        ("ADD https://pkg.example/a.tgz data.tgz git@git.example:x/y.git /srv/", ["data.tgz"]),
        ("COPY --from=tools:1 /bin/x /bin/x\nCOPY y /y", ["y"]),
        ("ONBUILD COPY . /srv", ["."]),
        ("RUN --mount=type=bind,source=lib,target=/lib --mount=type=cache,target=/c make", ["lib"]),
        ("RUN --mount=target=/all make", ["."]),
    ],
)
def test_the_sources_of_a_copy(lines: str, expected: list[str]) -> None:
    """Lists, quotes, tabs, continued lines, variables, mounts; what comes from elsewhere is none."""
    assert sources(f"FROM base:1\n{lines}\n") == expected


@pytest.mark.parametrize(
    "first",
    [
        "RUN <<EOF\n  EOF\nCOPY no /no\nEOF",
        "RUN <<-END\n\tCOPY no /no\n\tEND",
        'COPY <<ONE <<"TWO" x /srv/\nONE\nCOPY no /no\nTWO',
        "RUN echo $((1<<COPY))",
        "RUN python -c 'print(1 <<n)'",
        "RUN cat << EOF",
        'RUN ["sh", "-c", "cat <<EOF"]',
        "RUN cat <<EOF",
        "RUN cmd \\\\",
    ],
    ids=["heredoc", "dashed", "two", "shift", "quoted", "blank", "json", "endless", "escaped"],
)
def test_nothing_after_a_heredoc_is_lost(first: str) -> None:
    """What only looks like a heredoc, or has no end, hides no COPY; a real one is no instruction."""
    found = sources(f"FROM base:1\n{first}\nCOPY last /srv\n")
    assert found[-1] == "last" and "no" not in found


@pytest.mark.parametrize(
    ("text", "images"),
    [
        (
            "FROM base:1 AS one\nFROM one\nCOPY --from=0 /x /x\nCOPY --from=tools:2 /y /y",
            ("base:1", "tools:2"),
        ),
        ('ARG V=3\nFROM "base:${V}"', ("base:3",)),
        ("FROM base-${TARGETARCH}:1", ("base-arm64:1",)),
        ("FROM --platform=$BUILDPLATFORM base:1\nFROM scratch\nCOPY --from=base:1 /x /x", ("base:1",)),
        ("FROM base:1\nRUN --mount=type=bind,from=tools:3,target=/t make", ("base:1", "tools:3")),
    ],
)
def test_the_images_that_it_stands_on(text: str, images: tuple[str, ...]) -> None:
    """By argument, platform, quotes, COPY and mount; never a stage."""
    assert parse(text, {}, platform_arguments("linux/arm64")).images() == images


def test_a_target_is_found_in_any_case_and_by_number() -> None:
    """And what comes after it does not count."""
    found: Dockerfile = parse("FROM a:1 AS Prod\nFROM b:1 AS test\nCOPY t /t\n", {})
    assert found.images("PROD") == found.images("0") == ("a:1",)
    assert found.images("1") == ("a:1", "b:1")
