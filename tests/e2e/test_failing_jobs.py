"""Jobs that fail, each in its own way: the branch, the exit code, the remedy, and the way on once it is mended."""

from tests.e2e.outside import Outside
from tests.e2e.projects import Project


def test_a_good_job_ends_in_success(job: Project, outside: Outside) -> None:
    """Any image with a Dockerfile, a task definition and a deploy.toml is released."""
    ran = job.release("--from", "build")
    assert ran.ended["end"] == "END_SUCCESS", ran.said()
    assert len(outside.tasks(ran.release)) == 1
    assert len(outside.revisions(job.name)) == 1
