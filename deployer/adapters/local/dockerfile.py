"""What a Dockerfile says of its build: the images it stands on, what it copies, whether it needs BuildKit."""

import json
import re
import shlex
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from deployer.errors import Failure

_DIRECTIVE: Final = re.compile(r"#\s*([a-z]+)\s*=\s*(\S.*?)\s*$", re.IGNORECASE)
_WORD: Final = re.compile(r"""(?:[^\s"']|"(?:\\.|[^"\\])*"|'[^']*'|["'])+""")
_HEREDOC: Final = re.compile(r"""\d*<<(-?)(["']?)([^<"'\s]+)\2""")
_ONBUILD: Final = re.compile(r"ONBUILD\s+", re.IGNORECASE)
_WITH_FLAGS: Final = frozenset({"RUN", "COPY", "ADD", "FROM", "HEALTHCHECK"})
_VARIABLE: Final = re.compile(
    r"\\(\$)|\$(?:([A-Za-z_][A-Za-z0-9_]*)|\{([A-Za-z_][A-Za-z0-9_]*)(?:(:?[-+])([^}]*))?\})"
)


@dataclass(frozen=True)
class Instruction:
    """`line` counts from 1; `flags` are the `--name=value` before the arguments, in their order."""

    line: int
    keyword: str
    flags: tuple[tuple[str, str], ...]
    rest: str
    heredoc: bool = False

    def flag(self, name: str) -> str | None:
        return next((value for key, value in self.flags if key == name), None)

    def words(self) -> list[str]:
        """A JSON list, or what blanks separate."""
        if self.rest.startswith("["):
            try:
                return [str(word) for word in json.loads(self.rest)]
            except ValueError:
                pass
        return self.rest.split()


@dataclass
class Stage:
    """One FROM and what follows: the image below it (None: an earlier stage), the other images and the
    sources in the context that it takes, each with its instruction."""

    name: str
    base: str | None
    images: list[str] = field(default_factory=list)
    sources: list[tuple[Instruction, str]] = field(default_factory=list)


@dataclass(frozen=True)
class Dockerfile:
    """`needs_buildkit` says what only BuildKit understands, with its line; empty: nothing. `syntax`: there is
    a `# syntax` directive, which the classic builder passes over. `declared`: every ARG."""

    stages: tuple[Stage, ...]
    needs_buildkit: str = ""
    syntax: bool = False
    declared: frozenset[str] = frozenset()

    def until(self, target: str) -> tuple[Stage, ...]:
        """The stages up to `target`, its name or number; all where it is empty or not known."""
        for number, stage in enumerate(self.stages):
            if target and (stage.name.lower() == target.lower() or str(number) == target):
                return self.stages[: number + 1]
        return self.stages

    def images(self, target: str = "", contexts: Mapping[str, str] | None = None) -> tuple[str, ...]:
        """The images that a build pulls. A named context takes the place of the image of its name."""
        names = dict.fromkeys(image for stage in self.until(target) for image in stage.images)
        swapped = {**{name: name for name in names}, **(contexts or {})}
        images = (swapped[name].removeprefix("docker-image://") for name in names)
        local = {value for value in (contexts or {}).values() if "docker-image://" not in value}
        return tuple(image for image in dict.fromkeys(images) if image != "scratch" and image not in local)


def platform_arguments(platform: str) -> dict[str, str]:
    """The arguments that a builder sets by itself, for `linux/amd64` or `linux/arm/v7`."""
    system, _, machine = platform.partition("/")
    architecture, _, variant = machine.partition("/")
    known = {"PLATFORM": platform, "OS": system, "ARCH": architecture, "VARIANT": variant}
    return {f"{of}{name}": value for of in ("TARGET", "BUILD") for name, value in known.items()}


def read_dockerfile(
    path: Path, arguments: Mapping[str, str], automatic: Mapping[str, str] | None = None
) -> Dockerfile:
    """As `parse`. Failure `code`: there is no such file, or it cannot be read."""
    try:
        text = path.read_bytes().decode("utf-8-sig", "replace")
    except OSError as error:
        raise Failure(
            "code", f"{path}: {error.strerror}", "correct [build] dockerfile, or restore the file"
        ) from error
    return parse(text, arguments, automatic)


def parse(text: str, arguments: Mapping[str, str], automatic: Mapping[str, str] | None = None) -> Dockerfile:
    """`arguments` are the build's; an ARG without a value of its own takes its default. `automatic` are those
    of the platform, which a FROM may name without an ARG."""
    arguments = {**(automatic or {}), **arguments}
    syntax, lines = _head(text)
    stages: list[Stage] = []
    known: dict[str, str] = {}
    before_stages = dict(automatic or {})
    needs, declared = "", set[str]()
    for item in lines:
        if item.keyword == "FROM":
            stages.append(_stage(item, before_stages, stages))
            known = {}
        elif item.keyword == "ARG":
            declared.update(word.partition("=")[0] for word in _shell_words(item.rest))
            _declare(item, known if stages else before_stages, before_stages if stages else {}, arguments)
        elif item.keyword == "ENV":
            known.update(_assignments(item.rest, known))
        elif stages and item.keyword in ("COPY", "ADD", "RUN"):
            _take(item, stages, known)
        needs = needs or _only_buildkit(item)
    return Dockerfile(tuple(stages), needs, syntax, frozenset(declared))


def _head(text: str) -> tuple[bool, Iterator[Instruction]]:
    """Whether there is a `# syntax` directive, and the instructions."""
    escape, syntax, lines = "\\", False, text.split("\n")
    for line in lines:
        directive = _DIRECTIVE.fullmatch(line.strip())
        if directive is None:
            break
        if directive[1].lower() == "escape":
            escape = directive[2]
        elif directive[1].lower() == "syntax":
            syntax = True
    return syntax, _instructions(lines, escape)


def _instructions(lines: list[str], escape: str) -> Iterator[Instruction]:
    """What ONBUILD puts off counts as if it stood there: a later stage may run it."""
    at = 0
    while at < len(lines):
        first, text = at, ""
        while at < len(lines):
            line, at = lines[at].rstrip(), at + 1
            if not line or line.lstrip().startswith("#"):
                if text:
                    continue
                break
            goes_on = line.endswith(escape) and not line.endswith(escape * 2)
            text += line.removesuffix(escape) if goes_on else line
            if not goes_on:
                break
        keyword, _, rest = _ONBUILD.sub("", text.strip()).replace("\t", " ").partition(" ")
        if not keyword:
            continue
        flags, rest = _flags(rest.strip()) if keyword.upper() in _WITH_FLAGS else ((), rest.strip())
        end = _end_of_heredocs(rest, lines, at) if keyword.upper() in ("RUN", "COPY", "ADD") else at
        yield Instruction(first + 1, keyword.upper(), flags, rest, end > at)
        at = end


def _end_of_heredocs(rest: str, lines: list[str], at: int) -> int:
    """The first line behind the instruction's heredocs; `at` where it has none, or one has no end."""
    end = at
    for dash, _, name in (found.groups() for found in map(_HEREDOC.fullmatch, _WORD.findall(rest)) if found):
        while end < len(lines) and (lines[end].lstrip("\t") if dash else lines[end]).rstrip("\r") != name:
            end += 1
        if end == len(lines):
            return at
        end += 1
    return end


def _flags(rest: str) -> tuple[tuple[tuple[str, str], ...], str]:
    flags = []
    while match := re.match(r"--([a-z][a-z0-9.-]*)(?:=(\S*))?(?:\s+|$)", rest):
        flags.append((match[1], match[2] or ""))
        rest = rest[match.end() :]
    return tuple(flags), rest


def _stage(item: Instruction, known: Mapping[str, str], earlier: list[Stage]) -> Stage:
    words = item.words()
    image = _plain(words[0], known) if words else ""
    name = words[2] if len(words) > 2 and words[1].lower() == "as" else ""
    if image.lower() in {stage.name.lower() for stage in earlier if stage.name}:
        return Stage(name, None)
    return Stage(name, image, [image] if image else [])


def _declare(
    item: Instruction, known: dict[str, str], inherited: Mapping[str, str], arguments: Mapping[str, str]
) -> None:
    for word in _shell_words(item.rest):
        name, given, default = word.partition("=")
        if name in arguments:
            known[name] = arguments[name]
        elif given:
            known[name] = _expanded(default, known)
        elif name in inherited:
            known[name] = inherited[name]


def _assignments(rest: str, known: Mapping[str, str]) -> dict[str, str]:
    words = _shell_words(rest)
    if words and "=" not in words[0]:  # the old form: ENV NAME value
        return {words[0]: _expanded(rest.partition(" ")[2].strip(), known)}
    return {name: _expanded(value, known) for name, sign, value in (w.partition("=") for w in words) if sign}


def _shell_words(text: str) -> list[str]:
    try:
        return shlex.split(text)
    except ValueError:
        return text.split()


def _take(item: Instruction, stages: list[Stage], known: Mapping[str, str]) -> None:
    """What a COPY, ADD or a bind mount takes: from an image, or from the context."""
    stage = stages[-1]
    places = [(item.flag("from"), item.words()[:-1] if not item.heredoc else _files(item))]
    if item.keyword == "RUN":
        mounts = [dict(_pairs(value)) for key, value in item.flags if key == "mount"]
        places = [
            (mount.get("from"), [mount.get("source", mount.get("src", "."))])
            for mount in mounts
            if mount.get("type", "bind") == "bind" or "from" in mount
        ]
    names = {earlier.name.lower() for earlier in stages[:-1] if earlier.name}
    for origin, sources in places:
        if origin is None:
            paths = [_plain(source, known) for source in sources]
            stage.sources += [(item, path) for path in paths if not _remote(path)]
        elif not origin.isdigit() and origin.lower() not in names:
            stage.images.append(_expanded(origin, known))


def _files(item: Instruction) -> list[str]:
    """The sources of a COPY with a heredoc that are files."""
    return [word for word in item.words()[:-1] if not word.startswith("<<")]


def _pairs(mount: str) -> Iterator[tuple[str, str]]:
    for part in mount.split(","):
        name, _, value = part.partition("=")
        yield name, value


def _remote(source: str) -> bool:
    return re.match(r"(?:https?|git|ssh)://|git@", source) is not None


def _only_buildkit(item: Instruction) -> str:
    flags = {key for key, _ in item.flags}
    what = ""
    if item.keyword == "RUN" and flags & {"mount", "network", "security"}:
        what = f"RUN --{min(flags & {'mount', 'network', 'security'})}"
    elif item.keyword in ("COPY", "ADD") and flags - {"from", "chown"}:
        what = f"{item.keyword} --{min(flags - {'from', 'chown'})}"
    elif item.heredoc:
        what = f"{item.keyword} <<"
    elif item.keyword == "FROM" and re.search(r"\$\{?(BUILD|TARGET)", item.flag("platform") or ""):
        what = f"FROM --platform={item.flag('platform')}"
    return f"line {item.line}: {what}" if what else ""


def _plain(word: str, known: Mapping[str, str]) -> str:
    """A word with its variables replaced, without its quotes."""
    return re.sub("[\"']", "", _expanded(word, known))


def _expanded(text: str, known: Mapping[str, str]) -> str:
    """`$NAME`, `${NAME}`, `${NAME:-default}`, `${NAME:+other}`; what has no value stays as it stands."""

    def value(match: re.Match[str]) -> str:
        if match[1]:
            return "$"
        held = known.get(match[2] or match[3])
        operator, word = match[4] or "", match[5] or ""
        there = held is not None and not (operator.startswith(":") and not held)
        if operator.endswith("-"):
            return str(held) if there else _expanded(word, known)
        if operator.endswith("+"):
            return _expanded(word, known) if there else ""
        return match[0] if held is None else held

    return _VARIABLE.sub(value, text)
