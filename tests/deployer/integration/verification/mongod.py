"""A real mongod for tests: a replica set of one, authentication by key file, TLS on request."""

import datetime
import ipaddress
import os
import subprocess
import time
from collections.abc import Collection, Iterator
from contextlib import contextmanager
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID
from pymongo import MongoClient
from pymongo.errors import PyMongoError

from tests.pipeline.mongod import binary
from tests.ports import free_port

DATABASE = "weather"
LOOPBACK = "127.0.0.1"
_PATIENCE = 60


class Mongod:
    """`uri(user)` for the users `admin`, `loader` (reads and writes) and `reader` (what the deployer has).
    `host`: where it is reached, besides on loopback."""

    def __init__(self, folder: Path, *, tls: bool = False, host: str = LOOPBACK) -> None:
        self._folder, self.host = folder, host
        self.port = free_port()
        self.authority = _certificate(folder, {LOOPBACK, host}) if tls else None
        (folder / "db").mkdir()
        key = folder / "key"
        key.write_text("shared" * 20)
        key.chmod(0o600)

    def uri(self, user: str, *, secret: str | None = None, options: str = "") -> str:
        tls = f"&tls=true&tlsCAFile={self.authority}" if self.authority else ""
        return self.plain_uri(user, secret=secret, options=tls + options)

    def plain_uri(self, user: str, *, secret: str | None = None, options: str = "") -> str:
        """Without TLS, whether or not the server requires it."""
        word = secret or f"{user}-word"
        return f"mongodb://{user}:{word}@{self.host}:{self.port}/?replicaSet=rs0&authSource=admin{options}"

    def start(self) -> None:
        """The process only; data and users stay from one start to the next."""
        command = [binary(), "--dbpath", self._folder / "db", "--port", self.port]
        command += ["--bind_ip", ",".join(sorted({LOOPBACK, self.host}))]
        command += ["--replSet", "rs0", "--keyFile", self._folder / "key", "--logpath", self._folder / "log"]
        command += [
            "--wiredTigerCacheSizeGB",
            "1",
            "--nounixsocket",
            "--setParameter",
            "diagnosticDataCollectionEnabled=0",
        ]
        if self.authority:
            command += ["--tlsMode", "requireTLS", "--tlsCertificateKeyFile", self._folder / "server.pem"]
        self._process = subprocess.Popen(list(map(str, command)), stdout=subprocess.DEVNULL)

    def kill(self) -> None:
        self._process.kill()
        self._process.wait()

    def cpu_seconds(self) -> float:
        """What the process has worked so far (Linux: proc(5), fields utime and stime)."""
        fields = Path(f"/proc/{self._process.pid}/stat").read_text().rpartition(")")[2].split()
        return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")

    def initiate(self) -> None:
        """Makes the replica set and its users, through the localhost exception."""
        tls = {"tls": True, "tlsCAFile": str(self.authority)} if self.authority else {}
        with MongoClient(LOOPBACK, self.port, directConnection=True, **tls) as client:
            member = {"_id": 0, "host": f"{self.host}:{self.port}"}
            _until(lambda: client.admin.command("replSetInitiate", {"_id": "rs0", "members": [member]}))
            _until(lambda: client.admin.command("createUser", "admin", pwd="admin-word", roles=["root"]))
        with self.client("admin") as client:
            for user, role in (("loader", "readWrite"), ("reader", "read")):
                roles = [{"role": role, "db": DATABASE}]
                client.admin.command("createUser", user, pwd=f"{user}-word", roles=roles)
            client.admin.command("createUser", "stranger", pwd="stranger-word", roles=[])

    def add(self, other: "Mongod") -> None:
        """A member that is never the primary and whose word no majority needs, so that it may lag behind.
        Returns once it can be read from."""
        with self.client("admin") as client:
            config = client.admin.command("replSetGetConfig")["config"]
            member = {"_id": 1, "host": f"{other.host}:{other.port}", "priority": 0, "votes": 0}
            config |= {"version": config["version"] + 1, "members": [*config["members"], member]}
            client.admin.command("replSetReconfig", config)
        with MongoClient(other.host, other.port, directConnection=True) as client:
            _until(lambda: client.admin.command({"hello": 1})["secondary"] or _not_yet())

    def client(self, user: str) -> MongoClient:
        return MongoClient(self.uri(user), tz_aware=True, w="majority")


@contextmanager
def running(folder: Path, *, tls: bool = False, host: str = LOOPBACK) -> Iterator[Mongod]:
    mongod = Mongod(folder, tls=tls, host=host)
    mongod.start()
    try:
        mongod.initiate()
        yield mongod
    finally:
        mongod.kill()


def _not_yet() -> None:
    raise PyMongoError


def _until(attempt) -> None:
    end = time.monotonic() + _PATIENCE
    while True:
        try:
            attempt()
        except PyMongoError:
            if time.monotonic() > end:
                raise
            time.sleep(0.2)
        else:
            return


def _certificate(folder: Path, hosts: Collection[str]) -> Path:
    """Writes a key with a certificate that signs itself for these addresses; returns the latter's path."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "mongod under test")])
    today = datetime.datetime.now(datetime.UTC)
    address = x509.SubjectAlternativeName([x509.IPAddress(ipaddress.ip_address(host)) for host in hosts])
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(today - datetime.timedelta(days=1))
        .not_valid_after(today + datetime.timedelta(days=1))
        .add_extension(address, critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )
    authority = folder / "authority.pem"
    authority.write_bytes(certificate.public_bytes(serialization.Encoding.PEM))
    secret = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    (folder / "server.pem").write_bytes(secret + authority.read_bytes())
    return authority
