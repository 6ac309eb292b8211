"""deploy.toml and task definitions of any content: an error that says what is wrong, never a traceback."""

from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from deployer.config.load import FILE, environment_name, load, read
from deployer.errors import UsageError
from deployer.ports import Revision
from deployer.task.definition import canonical, changes, differences, own_tags, registrable, render
from deployer.task.verdict import log_place
from tests.fuzz.conftest import FUZZ, TEXTS, VALUES, changed, torn

ROOT = Path(__file__).parents[2]
TABLE = read(ROOT / FILE)
TEXT = (ROOT / FILE).read_bytes()[:3000]
DEFINITION: dict[str, Any] = {
    "family": "orders",
    "cpu": "256",
    "memory": ".5 GB",
    "networkMode": "awsvpc",
    "volumes": [{"name": "tmp"}],
    "tags": [{"key": "team", "value": "data"}],
    "containerDefinitions": [
        {
            "name": "orders",
            "image": "${IMAGE}",
            "essential": True,
            "command": ["a", "${B:-c}"],
            "environment": [{"name": "A", "value": "1"}],
            "secrets": [{"name": "S", "valueFrom": "arn:aws:ssm:eu-west-3:1:parameter/s"}],
            "portMappings": [{"containerPort": 80, "protocol": "tcp"}],
            "logConfiguration": {"logDriver": "awslogs", "options": {"awslogs-group": "g"}},
        }
    ],
}


@FUZZ
@given(changed(TABLE), st.sampled_from(["sandbox", "production", "other"]))
def test_any_table(table: Any, env: str) -> None:
    """A table with something else at some places is read, or refused as a whole."""
    if isinstance(table, dict):
        try:
            name = environment_name(table, env)
            load(table, name, {"MONGO_URI": "mongodb://h", "X": "1"}, ROOT)
        except UsageError as error:
            assert FILE in error.message or "task definition" in error.message


@FUZZ
@given(st.one_of(torn(TEXT), st.binary(max_size=200)))
def test_any_file(tmp_path_factory: pytest.TempPathFactory, content: bytes) -> None:
    """Bytes that are no TOML, or another one."""
    path = tmp_path_factory.mktemp("any") / FILE
    path.write_bytes(content)
    try:
        assert isinstance(read(path), dict)
    except UsageError as error:
        assert FILE in error.message


@pytest.mark.parametrize(
    "text", ["a = " + "[" * 20_000, "a." * 20_000 + "b = 1", "[" * 5_000, "a = {b = " * 9_000]
)
def test_a_deep_file_is_refused(tmp_path: Path, text: str) -> None:
    """Nesting beyond any use is a mistake in the file."""
    (tmp_path / FILE).write_text(text)
    with pytest.raises(UsageError, match=FILE):
        read(tmp_path / FILE)


@FUZZ
@given(changed(DEFINITION), st.dictionaries(TEXTS, TEXTS, max_size=3))
def test_any_definition(definition: Any, values: dict[str, str]) -> None:
    """A template with something else at some places is filled in and compared, or refused."""
    if isinstance(definition, dict):
        try:
            filled = render(definition, values, "image", "orders")
        except UsageError:
            return
        assert canonical(filled) == canonical(filled)
        assert differences(filled, filled) == ()
        changes(filled, Revision("arn", DEFINITION))
        changes(DEFINITION, Revision("arn", registrable(filled)))
        own_tags(filled)
        log_place(filled, "orders")


@FUZZ
@given(VALUES)
def test_anything_in_the_place_of_a_container(container: Any) -> None:
    """ECS's own answer may hold what nobody has thought of."""
    definition = {**DEFINITION, "containerDefinitions": [container]}
    try:
        render(definition, {}, "image", "orders")
    except UsageError as error:
        assert "task definition" in error.message
