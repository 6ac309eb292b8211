"""A real mongod that takes no connection without TLS, where a container can reach it."""

import datetime
import ipaddress
import os
import signal
import socket
import subprocess
import time
from pathlib import Path
from typing import Any

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID
from pymongo import MongoClient
from pymongo.errors import PyMongoError

from deployer.sandbox.mongod import binary

_PATIENCE_S = 60


class TlsMongod:
    """A single server at `host`, with a certificate of its own making. `ca`: the file that vouches for it."""

    def __init__(self, folder: Path, host: str) -> None:
        self._folder, self.host, self.port = folder, host, _free_port(host)
        folder.mkdir(parents=True)
        self.ca, self._pem = folder / "ca.pem", folder / "server.pem"
        self._make_certificate()
        (folder / "db").mkdir()
        self._process = subprocess.Popen(
            [binary(), "--dbpath", folder / "db", "--bind_ip", host, "--port", str(self.port),
             "--tlsMode", "requireTLS", "--tlsCertificateKeyFile", self._pem, "--nounixsocket",
             "--wiredTigerCacheSizeGB", "0.25", "--logpath", folder / "log"],
            stdout=subprocess.DEVNULL,
        )  # fmt: skip
        self._await_answer()

    def address(self, *options: str) -> str:
        return f"mongodb://{self.host}:{self.port}/?{'&'.join(options)}"

    @property
    def trusted(self) -> str:
        """The address for who has the CA's file."""
        return self.address("tls=true", f"tlsCAFile={self.ca}")

    def client(self) -> "MongoClient[dict[str, Any]]":
        return MongoClient(self.trusted, serverSelectionTimeoutMS=2000)

    def stop(self) -> None:
        os.kill(self._process.pid, signal.SIGTERM)
        self._process.wait(_PATIENCE_S)

    def _await_answer(self) -> None:
        deadline = time.monotonic() + _PATIENCE_S
        while time.monotonic() < deadline and self._process.poll() is None:
            try:
                with self.client() as client:
                    client.admin.command("ping")
                    return
            except PyMongoError:
                continue
        raise AssertionError((self._folder / "log").read_text()[-2000:])

    def _make_certificate(self) -> None:
        key = ec.generate_private_key(ec.SECP256R1())
        name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "mongod of a test")])
        now = datetime.datetime.now(datetime.UTC)
        certificate = (
            x509.CertificateBuilder()
            .subject_name(name)
            .issuer_name(name)
            .public_key(key.public_key())
            .serial_number(x509.random_serial_number())
            .not_valid_before(now - datetime.timedelta(days=1))
            .not_valid_after(now + datetime.timedelta(days=1))
            .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
            .add_extension(
                x509.SubjectAlternativeName([x509.IPAddress(ipaddress.ip_address(self.host))]), critical=False
            )
            .sign(key, hashes.SHA256())
        )
        public = certificate.public_bytes(serialization.Encoding.PEM)
        private = key.private_bytes(
            serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
        )
        self.ca.write_bytes(public)
        self._pem.touch(mode=0o600)
        self._pem.write_bytes(private + public)


def _free_port(host: str) -> int:
    with socket.create_server((host, 0)) as server:
        return int(server.getsockname()[1])
