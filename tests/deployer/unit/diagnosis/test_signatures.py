"""Each signature is held to its example, its counter-example, its source, its fix, and to linear time."""

import re
from functools import partial
from itertools import pairwise
from pathlib import Path

import pytest

from deployer.diagnosis.classify import classify
from deployer.diagnosis.events import cut
from deployer.diagnosis.finders import FINDERS
from deployer.diagnosis.matching import Index, Seen, recognized
from deployer.diagnosis.model import Evidence
from deployer.diagnosis.signature import Signature, alternatives, compiled
from deployer.diagnosis.signatures import shared, signatures, whole_table
from deployer.diagnosis.signatures.parties import PARTIES
from deployer.diagnosis.values import holes
from tests.timing import cpu_seconds

HERE = Path(__file__).parent
FAMILIES = [
    line.split("\t")[2].replace("\\n", "\n")
    for line in (HERE / "families.tsv").read_text(encoding="utf-8").splitlines()
]
OF_DEPLOY_TOML = {"region", "profile", "registry", "repository", "cluster", "subnet", "security_group",
    "log_group", "family", "service", "database"}  # fmt: skip

by_name = pytest.mark.parametrize(
    "signature", whole_table(), ids=lambda s: f"{s.failure_class}/{s.subcause}/{s.channels[0]}"
)


def says(signature: Signature, text: str) -> bool:
    """Whether the signature recognizes one of the events of a text seen on its first channel."""
    lines = list(enumerate(text.split("\n"), start=1))
    return any(recognized(signature, Seen(event, signature.channels[0])) for event in cut(lines))


@by_name
def test_the_example_is_recognized_and_wins(signature: Signature) -> None:
    """The message that the signature is for gets its class; by the code alone where it has no words."""
    codes = () if signature.pattern or signature.texts or signature.names else signature.exit_codes[:1]
    evidence = Evidence(signature.example, signature.channels[0], *codes)

    assert codes or says(signature, signature.example)
    assert classify(evidence).cause.failure_class == signature.failure_class


@by_name
def test_the_counter_example_is_not(signature: Signature) -> None:
    """Words near the signature's own that tell of something healthy, or of another failure, stay silent."""
    cause = classify(Evidence(signature.counter, signature.channels[0])).cause

    assert (cause.failure_class, cause.subcause) != (signature.failure_class, signature.subcause)


@by_name
def test_it_says_what_it_means_and_where_that_is_known_from(signature: Signature) -> None:
    """One sentence, a vendor's page, a fix of its own that sends nobody back to the message."""
    assert signature.meaning.endswith(".")
    assert signature.meaning.count(". ") == 0
    assert signature.source.startswith("https://")
    assert signature.fix
    assert "see the message" not in signature.fix.lower()


@pytest.mark.parametrize("said", [*whole_table(), *PARTIES], ids=lambda s: s.subcause)
def test_every_value_of_a_fix_can_be_found(said: Signature) -> None:
    """A hole in a fix is a group of the pattern, has a finder, or is said by deploy.toml."""
    groups = compiled(getattr(said, "pattern", "")).groupindex

    assert set(holes(said.fix)) <= {*groups, *FINDERS, *OF_DEPLOY_TOML}


def test_every_alternative_is_hit() -> None:
    """No part of a pattern is there for a wording that nothing has: each finds an example or a family."""
    texts = [*(signature.example for signature in whole_table()), *FAMILIES]
    idle = [
        f"{signature.subcause}: {part}"
        for signature in whole_table()
        if signature.pattern
        for part in alternatives(signature.pattern)
        if not any(compiled(part).search(text) for text in texts)
    ]

    assert idle == []


def test_what_is_not_worth_a_search_is_not_recognized() -> None:
    """The index leaves out no signature that recognizes a message; of a message it leaves out most."""
    index = Index(whole_table())
    overlooked, tried, events = [], 0, 0
    for text in [*(signature.example for signature in whole_table()), *FAMILIES]:
        for event in cut(enumerate(text.split("\n"), start=1)):
            seen = Seen(event, "task_log")
            worth = {id(signature) for signature in index.candidates(seen)}
            tried, events = tried + len(worth), events + 1
            overlooked += [
                (s.subcause, text) for s in whole_table() if id(s) not in worth and recognized(s, seen)
            ]

    assert overlooked == []
    assert tried < 0.25 * events * len(whole_table())


def test_names_and_texts_are_told_once() -> None:
    """A fixed text that contains another of the same signature says nothing more."""
    for signature in whole_table():
        texts = signature.all_texts
        assert len(set(texts)) == len(texts)
        assert [t for t in texts if any(o != t and o in t for o in texts)] == []
        assert len(signature.all_names) >= len(signature.names.split())


def test_a_bare_number_is_no_signature() -> None:
    """Status codes and error codes stand in logs as counts of rows: a number alone says nothing."""
    for signature in whole_table():
        for number in ("404", "407", "429", "137", "18", "50", "503"):
            assert (
                not signature.pattern
                or not compiled(signature.pattern).fullmatch(number)
                or (signature.pattern == r"\S")
            )
            assert number not in (*signature.all_texts, *signature.all_names)


PATTERNS = sorted(
    {
        *(text for s in whole_table() for text in (s.pattern, s.within, s.without)),
        *FINDERS.values(),
    }
    - {""}
)


def worst_prefixes(pattern: str) -> set[str]:
    """What the pattern begins to match and never ends: its literals again and again, and plain runs."""
    literals = re.findall(
        r"[A-Za-z][A-Za-z /:'-]{3,30}", re.sub(r"\\.|\(\?P<\w+>|[\[\](){}?*+|^$.]", "\n", pattern)
    )
    return {"a", "/", "1 ", *sorted(literals, key=len)[-2:]}


@pytest.mark.parametrize("pattern", PATTERNS, ids=range(len(PATTERNS)))
def test_no_pattern_takes_more_than_linear_time(pattern: str) -> None:
    """Of its own worst prefix, four times the text takes at most four times as long, and some noise."""
    for prefix in worst_prefixes(pattern):
        tries = (times(pattern, prefix) for _ in range(3))
        assert any(map(grows_with_the_text, tries)), prefix


def times(pattern: str, prefix: str) -> list[float]:
    texts = [(prefix * size)[:size] for size in (1024, 4096, 16384, 65536)]
    return [cpu_seconds(partial(compiled(pattern).search, text)) for text in texts]


def grows_with_the_text(took: list[float]) -> bool:
    return all(longer < 4 * 3 * shorter + 0.003 for shorter, longer in pairwise(took[1:]))


def test_the_table_does_not_grow_back() -> None:
    """It once had 188 rules and 99,000 characters of regular expression, which nobody could review."""
    patterns = {s.pattern for s in whole_table()}
    contexts = {written(text) for s in whole_table() for text in (s.within, s.without)}

    assert len(signatures()) <= 94
    assert sum(map(len, (*patterns, *contexts, *shared().values()))) < 33_000


def written(context: str) -> str:
    """The context as the table has it: what several share by its name."""
    for name, text in shared().items():
        context = context.replace(text, f"<{name}>")
    return context


@pytest.mark.parametrize("pattern", PATTERNS, ids=range(len(PATTERNS)))
def test_every_pattern_is_bounded(pattern: str) -> None:
    """Nothing repeats without an end: not any character, not a word, not a blank."""
    outside_classes = re.sub(r"\[(?:\\.|[^\]\\])*\]", "[]", pattern)

    assert not re.search(r"(?:(?<!\\)\.|\[\]|\\[wWsSdD]|\))[*+]|\{\d+,\}", outside_classes), pattern
