"""Secrets Manager: where a value goes that no file may hold."""

from deployer.errors import Failure
from deployer.gateways.aws import AwsSession, error_code, translated


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
