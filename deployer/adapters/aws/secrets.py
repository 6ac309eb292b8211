"""Secrets Manager: where a value goes that no file may hold."""

from collections.abc import Iterator

from deployer.adapters.aws.probes.probe import secrets
from deployer.adapters.aws.session import AwsSession, error_code, translated
from deployer.config.model import Config
from deployer.errors import DeployerError, ExpiredCredentials, Failure


class SecretStore:
    """The secrets of the caller's account and region."""

    def __init__(self, session: AwsSession) -> None:
        self._session = session

    def put(self, name: str, value: str) -> str:
        """Makes the secret, or gives it a new version; returns its ARN. The value is in no message."""
        client, where = self._session.client("secretsmanager"), f"secret {name}"
        with translated(where):
            try:
                return str(client.put_secret_value(SecretId=name, SecretString=value)["ARN"])
            except Exception as error:
                code = error_code(error)
                if code == "InvalidRequestException" and "delet" in str(error):
                    remedy = f"`aws secretsmanager restore-secret --secret-id {name}`, then set it again"
                    raise Failure("aws-config", f"{where}: it is being deleted", remedy) from error
                if code != "ResourceNotFoundException":
                    raise
            return str(client.create_secret(Name=name, SecretString=value)["ARN"])


def values(config: Config, session: AwsSession) -> Iterator[str]:
    """The values of the secrets that the job is given, so that they can be kept out of all that is written;
    those that the caller may not read are left out. ExpiredCredentials: nothing else would work either."""
    for source in secrets(config).values():
        try:
            yield _value(source, session)
        except ExpiredCredentials:
            raise
        except DeployerError:
            continue


def _value(source: str, session: AwsSession) -> str:
    with translated("secret"):
        if ":secretsmanager:" in source:
            arn = ":".join(source.split(":")[:7])
            held = session.client("secretsmanager").get_secret_value(SecretId=arn)
            return str(held.get("SecretString", ""))
        name = source.partition(":parameter")[2] or source
        return str(session.client("ssm").get_parameter(Name=name, WithDecryption=True)["Parameter"]["Value"])
