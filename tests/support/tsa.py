"""A timestamp authority to throw away: `openssl ts` with a root of its own, behind HTTP.

with authority(directory) as tsa:
    tsa.url, tsa.roots
    tsa.token(b"bytes")
"""

import shutil
import subprocess
from collections.abc import Generator
from contextlib import contextmanager
from dataclasses import dataclass, field
from itertools import count
from pathlib import Path
from typing import Final

import pytest
from cryptography import x509
from rfc3161_client import HashAlgorithm, TimestampRequestBuilder, decode_timestamp_response

from strangers import Request, Stranger, answer, stranger

OPENSSL: Final = shutil.which("openssl")
needs_openssl: Final = pytest.mark.skipif(
    OPENSSL is None, reason="openssl is not installed: apt-get install openssl"
)

# `certs` is in one section only: OpenSSL does not sort the chain that it adds, as DER has it, and
# rfc3161-client reads no such answer as it comes.
_CONFIG: Final = """
[req]
distinguished_name = name
prompt = no
x509_extensions = root
[name]
CN = Throw-away root {name}
[root]
basicConstraints = critical,CA:TRUE
keyUsage = critical,keyCertSign
[authority]
basicConstraints = critical,CA:FALSE
keyUsage = critical,digitalSignature
extendedKeyUsage = critical,timeStamping
[mailer]
basicConstraints = critical,CA:FALSE
extendedKeyUsage = critical,emailProtection
[tsa]
default_tsa = one
[one]
serial = serial
signer_cert = tsa.pem
signer_key = tsa.key
default_policy = 1.2.3.4.1
digests = sha256,sha384,sha512
signer_digest = sha256
ess_cert_id_alg = sha256
[chained]
serial = serial
certs = chain.pem
signer_cert = tsa.pem
signer_key = tsa.key
default_policy = 1.2.3.4.1
digests = sha256,sha384,sha512
signer_digest = sha256
ess_cert_id_alg = sha256
[between]
basicConstraints = critical,CA:TRUE,pathlen:0
keyUsage = critical,keyCertSign
"""
_KEY: Final = "-newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes"


@dataclass
class Authority:
    """Its files lie in `directory`; `met` is it as a server."""

    directory: Path
    section: str = "one"
    met: Stranger = field(default_factory=lambda: Stranger(""))
    _numbers: "count[int]" = field(default_factory=count)

    @property
    def url(self) -> str:
        """Where it listens."""
        return self.met.url

    @property
    def pem(self) -> Path:
        """Its root certificate."""
        return self.directory / "root.pem"

    @property
    def roots(self) -> list[x509.Certificate]:
        """What trusts it."""
        return [x509.load_pem_x509_certificate(self.pem.read_bytes())]

    def reply(self, query: bytes) -> bytes:
        """Its answer to a request, as DER."""
        name = f"q{next(self._numbers)}"
        (self.directory / name).write_bytes(query)
        _openssl(
            self.directory,
            f"ts -reply -config conf -section {self.section} -queryfile {name} -out {name}r",
        )
        return (self.directory / f"{name}r").read_bytes()

    def certify(self, name: str, purpose: str, by: str = "root") -> None:
        """Makes a key and a certificate of the root's; the section `purpose` says what for."""
        _openssl(self.directory, f"req {_KEY} -keyout {name}.key -out {name}.csr -subj /CN={name}")
        signing = f"-CA {by}.pem -CAkey {by}.key -CAcreateserial -days 3650"
        section = f"-extfile conf -extensions {purpose}"
        _openssl(self.directory, f"x509 -req -in {name}.csr -out {name}.pem {signing} {section}")

    def signed_again(self, token: bytes, name: str) -> bytes:
        """What a token says, signed by another of the root's keys instead."""
        (self.directory / "token").write_bytes(token)
        _openssl(self.directory, "cms -verify -noverify -inform DER -in token -out told")
        signer = f"-signer {name}.pem -inkey {name}.key -md sha256"
        content = "-nodetach -binary -econtent_type 1.2.840.113549.1.9.16.1.4 -outform DER"
        _openssl(self.directory, f"cms -sign -in told -out again {content} {signer}")
        return (self.directory / "again").read_bytes()

    def token(self, data: bytes, algorithm: HashAlgorithm = HashAlgorithm.SHA256) -> bytes:
        """Its token over some bytes."""
        query = TimestampRequestBuilder(data=data, hash_algorithm=algorithm).build()
        return decode_timestamp_response(self.reply(query.as_bytes())).time_stamp_token()


def make_authority(directory: Path) -> Authority:
    """Keys, a root, and a certificate for telling the time."""
    directory.mkdir(parents=True)
    (directory / "conf").write_text(_CONFIG.format(name=directory.name))
    (directory / "serial").write_text("01\n")
    root = f"req -x509 {_KEY} -keyout root.key -out root.pem -days 3650 -config conf"
    _openssl(directory, root)
    made = Authority(directory)
    made.certify("tsa", "authority")
    return made


def make_chained(directory: Path) -> Authority:
    """One whose certificate is of another between it and the root, and who sends them all."""
    made = make_authority(directory)
    made.certify("between", "between")
    made.certify("tsa", "authority", "between")
    chain = [(directory / name).read_bytes() for name in ("between.pem", "root.pem")]
    (directory / "chain.pem").write_bytes(b"".join(chain))
    made.section = "chained"
    return made


@contextmanager
def authority(directory: Path) -> Generator[Authority]:
    """An authority that answers over HTTP while the block runs."""
    made = make_authority(directory)

    def say(asked: Request) -> bytes:
        if asked.headers.get("content-type") != "application/timestamp-query":
            return answer("415 Unsupported Media Type")
        return answer("200 OK", made.reply(asked.body), "application/timestamp-reply")

    with stranger(say) as made.met:
        yield made


def _openssl(directory: Path, words: str) -> None:
    assert OPENSSL is not None
    done = subprocess.run([OPENSSL, *words.split()], cwd=directory, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
