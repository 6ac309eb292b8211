"""Secrets Manager and Parameter Store: the values that no file may hold."""

from deployer.adapters.aws.ecs import Ecs
from deployer.adapters.aws.probes.probe import definition, parameter_names, region_of, secrets, secrets_in
from deployer.adapters.aws.session import AwsSession, error_code, translated
from deployer.config.model import Config
from deployer.errors import DeployerError, ExpiredCredentials, Failure


class SecretStore:
    """The secrets of the caller's account and region."""

    def __init__(self, session: AwsSession) -> None:
        self._session = session

    def put(self, name: str, value: str) -> str:
        """Creates the secret or a new version of it; returns its ARN. The value is in no message."""
        client, where = self._session.client("secretsmanager"), f"secret {name}"
        with translated(where):
            try:
                return str(client.put_secret_value(SecretId=name, SecretString=value)["ARN"])
            except Exception as error:
                code = error_code(error)
                if code == "InvalidRequestException" and "delet" in str(error):
                    remedy = f"`aws secretsmanager restore-secret --secret-id {name}`, then set it again"
                    raise Failure("aws-config", f"{where} is scheduled for deletion", remedy) from error
                if code != "ResourceNotFoundException":
                    raise
            return str(client.create_secret(Name=name, SecretString=value)["ARN"])

    def get(self, name: str) -> str:
        """Its value. Failure `aws-config`: there is none, or the caller may not read it."""
        with translated(f"secret {name}"):
            client = self._session.client("secretsmanager")
            return str(client.get_secret_value(SecretId=name).get("SecretString", ""))


def values(config: Config, session: AwsSession) -> tuple[list[str], list[str]]:
    """The values of the job's secrets, to redact them everywhere: those of deploy.toml's definition and those
    of the registered one, which runs. And what the caller may not read, by the names of the variables.
    ExpiredCredentials: no other call would work either."""
    found, unread = list[str](), list[str]()
    sources = {(name, source) for name, source in secrets(config).items()}
    family = str(definition(config)["family"])
    try:
        registered = Ecs(config, session).newest_revision(family)
        sources |= set(secrets_in(registered.definition).items()) if registered else set()
    except ExpiredCredentials:
        raise
    except DeployerError:
        unread.append(f"those of task definition {family}")
    for name, source in sorted(sources):
        try:
            found.append(_value(source, session))
        except ExpiredCredentials:
            raise
        except DeployerError:
            unread.append(name)
    return found, list(dict.fromkeys(unread))


def _value(source: str, session: AwsSession) -> str:
    with translated("secret"):
        if ":secretsmanager:" in source:
            arn = ":".join(source.split(":")[:7])
            held = session.client("secretsmanager", region_of(arn, session)).get_secret_value(SecretId=arn)
            return str(held.get("SecretString", ""))
        client = session.client("ssm", region_of(source, session))
        for name in parameter_names(source):
            found = client.get_parameters(Names=[name], WithDecryption=True)["Parameters"]
            if found:
                return str(found[0]["Value"])
    return ""
