"""What can go wrong with the sandbox, said for people."""

from deployer.errors import Failure, FailureClass


class SandboxError(Failure):
    """The sandbox cannot do what was asked; `failure_class` says whose trouble it is."""

    def __init__(self, message: str, hint: str = "", *, failure_class: FailureClass = "unknown") -> None:
        super().__init__(failure_class, message, hint)


class SandboxDown(SandboxError):
    """Facts were asked of a sandbox that is not up."""

    def __init__(self, what: str) -> None:
        super().__init__(
            f"the sandbox is not up: {what}", "start it with: deployer sandbox up", failure_class="aws-config"
        )
