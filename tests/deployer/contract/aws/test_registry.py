"""What the steps rely on of a registry, held by the fake, moto and MiniStack."""

import pytest

from deployer.errors import Failure
from tests.deployer.contract.aws.worlds import World


def test_a_missing_repository_is_named_with_the_command_that_makes_it(world: World, name: str) -> None:
    """Asking for a tag in a repository that is not there fails as aws-config and says what to type."""
    with pytest.raises(Failure, match=name) as caught:
        world.registry.digest(name, "latest")
    assert caught.value.failure_class == "aws-config"
    assert f"aws ecr create-repository --repository-name {name}" in caught.value.hint


def test_a_tag_that_is_not_there_has_no_digest(world: World, name: str) -> None:
    """An unknown tag is an answer (None), not an error."""
    world.create_repository(name)
    assert world.registry.digest(name, "latest") is None


def test_a_tag_has_the_digest_of_what_was_pushed(world: World, name: str) -> None:
    """The digest behind a tag is the one that the push reported."""
    world.create_repository(name)
    digest = world.push(name, "v1", "a" * 64)
    assert world.registry.digest(name, "v1") == digest


def test_a_manifest_is_had_by_tag_and_by_digest(world: World, name: str) -> None:
    """Both lead to the manifest that was pushed; nothing leads to none."""
    world.create_repository(name)
    assert world.registry.manifest(name, "v1") is None
    digest = world.push(name, "v1", "a" * 64)
    manifest = world.registry.manifest(name, digest)
    assert manifest is not None
    assert manifest == world.registry.manifest(name, "v1")
    assert manifest["config"]["digest"] == f"sha256:{'a' * 64}"


def test_a_tag_moves_to_an_image_that_is_there(world: World, name: str) -> None:
    """A tag is put on one image, then on another, and the first image keeps its own tag."""
    world.create_repository(name)
    first, second = (world.push(name, f"v{number}", str(number) * 64) for number in (1, 2))
    for digest in (first, second):
        world.registry.move_tag(name, "latest", digest)
        assert world.registry.digest(name, "latest") == digest
    assert world.registry.digest(name, "v1") == first


def test_moving_a_tag_to_where_it_is_changes_nothing(world: World, name: str) -> None:
    """The second of two equal moves is fine, so a resumed step may repeat it."""
    world.create_repository(name)
    digest = world.push(name, "v1", "a" * 64)
    world.registry.move_tag(name, "latest", digest)
    world.registry.move_tag(name, "latest", digest)
    assert world.registry.digest(name, "latest") == digest


def test_a_tag_does_not_move_to_an_image_that_is_not_there(world: World, name: str) -> None:
    """Promoting a digest that the repository does not hold fails as aws-config."""
    world.create_repository(name)
    with pytest.raises(Failure, match="no image sha256:dead") as caught:
        world.registry.move_tag(name, "latest", "sha256:dead" + "0" * 60)
    assert caught.value.failure_class == "aws-config"


def test_a_login_is_for_the_registry_s_address(world: World) -> None:
    """Credentials come with the address that images are pushed to."""
    login = world.registry.login()
    assert login.registry == world.registry.address()
    assert login.username == "AWS"
    assert login.password
    assert login.password not in repr(login)


def test_every_tag_is_told_with_its_digest(world: World, name: str) -> None:
    """An image with two tags is there twice, each time with the same digest."""
    world.create_repository(name)
    first, second = (world.push(name, f"v{number}", str(number) * 64) for number in (1, 2))
    world.registry.move_tag(name, "latest", second)
    found = {(tagged.tag, tagged.digest) for tagged in world.registry.tagged(name)}
    assert found == {("v1", first), ("v2", second), ("latest", second)}


def test_an_image_goes_with_its_last_tag(world: World, name: str) -> None:
    """Taking its tag away removes the image and no other; what is gone may be taken away again."""
    world.create_repository(name)
    world.push(name, "v1", "1" * 64)
    second = world.push(name, "v2", "2" * 64)
    for _ in range(2):
        world.registry.remove(name, ["v1"])
        assert [(tagged.tag, tagged.digest) for tagged in world.registry.tagged(name)] == [("v2", second)]


@pytest.mark.parametrize("world", ["fake", "moto"], indirect=True)
def test_an_image_with_another_tag_stays(world: World, name: str) -> None:
    """Taking one of two tags away leaves the image (MiniStack takes it along with any of its tags)."""
    world.create_repository(name)
    digest = world.push(name, "v1", "1" * 64)
    world.registry.move_tag(name, "latest", digest)
    world.registry.remove(name, ["v1"])
    assert [(tagged.tag, tagged.digest) for tagged in world.registry.tagged(name)] == [("latest", digest)]
