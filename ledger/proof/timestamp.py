"""Timestamps: that certain bytes existed at a time, as an authority outside signed it (RFC 3161).

A token is a CMS message that names the hash of the bytes and the time. It is the bare
`TimeStampToken` in DER, as `openssl ts -verify -token_in` reads it, and brings the certificates of
the authority with it; the roots that they must lead to are the reader's own.
"""

import hashlib
from collections.abc import Sequence
from datetime import datetime
from typing import Final, NamedTuple

from cryptography import x509
from rfc3161_client import TimeStampResponse, VerifierBuilder, decode_timestamp_response

from ledger.errors import LedgerError

TOKEN_BYTES_MAX: Final = 32 * 1024
"""Several times what an authority with a long chain of certificates sends."""

ROOTS_MAX: Final = 64
_SHA2: Final = {
    "2.16.840.1.101.3.4.2.1": hashlib.sha256,
    "2.16.840.1.101.3.4.2.2": hashlib.sha384,
    "2.16.840.1.101.3.4.2.3": hashlib.sha512,
}
_GRANTED: Final = bytes.fromhex("3003020100")  # PKIStatusInfo: granted, without words
_SIGNED_DATA_VERSION: Final = 3  # for content that is no plain data (RFC 5652 section 5.1)
_SIGNER_VERSION: Final = 1  # a signer named by issuer and serial number (RFC 5652 section 5.3)


class TimestampError(LedgerError):
    """A token does not show that these bytes existed at a time; the message says why not."""


def check_token(token: bytes, data: bytes, roots: Sequence[x509.Certificate]) -> datetime:
    """When `data` existed at the latest, by the clock of an authority under one of `roots`.

    Args:
        token: a TimeStampToken in DER.
        data: the bytes that it must be about; for a checkpoint the whole signed note.
        roots: certificates that the reader trusts to say the time, at least one.

    Returns:
        The time in the token, in UTC. Whether it lies in the future is the caller's to judge:
        nothing here reads a clock. Certificates need to have been valid then, not now.

    Raises:
        TimestampError: for whatever `token` is, and for no other reason than `token`.
    """
    said = read_token(token)
    if not roots:
        raise TimestampError("No root certificate was given, so no token can be trusted.")
    if not said.is_about(data):
        raise TimestampError("The token is about other bytes than these.")
    verifier = VerifierBuilder(roots=list(roots)).build()
    try:
        verifier.verify_message(said.answer, data)
    except Exception as error:
        # A token can name any algorithm and hold any certificate; libraries fail at them in ways
        # of their own, and each of them means the same.
        raise TimestampError(
            "The token's signature does not lead to a root certificate that was given."
        ) from error
    return said.time


class Said(NamedTuple):
    """What a token says, none of it verified; `answer` is the token as one that grants it."""

    answer: TimeStampResponse
    algorithm: str
    imprint: bytes
    time: datetime
    nonce: int | None

    def is_about(self, data: bytes) -> bool:
        """Whether the token names the hash of these bytes."""
        return _SHA2[self.algorithm](data).digest() == self.imprint


def read_token(token: bytes) -> Said:
    """What a token says, unverified; raises `TimestampError`."""
    if len(token) > TOKEN_BYTES_MAX:
        raise TimestampError(f"A token of more than {TOKEN_BYTES_MAX} bytes is not read.")
    try:
        answer = decode_timestamp_response(_sequence(_GRANTED + token))
        whole = answer.time_stamp_token() == token
        signed = answer.signed_data
        versions = {signed.version, *(signer.version for signer in signed.signer_infos)}
        info = answer.tst_info
        imprint = info.message_imprint
        algorithm = imprint.hash_algorithm.dotted_string
        said = Said(answer, algorithm, imprint.message, info.gen_time, info.nonce)
    except Exception as error:
        # Parsed as it is read: each field of a broken token fails in a way of its own.
        raise TimestampError("The token is not one in DER, or not a whole one.") from error
    # OpenSSL looks at neither of these, so that bits could be changed without being noticed.
    if not whole or versions != {_SIGNED_DATA_VERSION, _SIGNER_VERSION}:
        raise TimestampError("The token is not built as RFC 3161 says.")
    if algorithm not in _SHA2:
        raise TimestampError("The token hashes with something else than SHA-256, -384 or -512.")
    return said


def read_roots(pem: bytes) -> tuple[x509.Certificate, ...]:
    """The certificates of a PEM file, 1 to 64 of them; raises `TimestampError`."""
    try:
        roots = x509.load_pem_x509_certificates(pem)
    except ValueError:
        roots = []
    if not 1 <= len(roots) <= ROOTS_MAX:
        raise TimestampError(
            f"The file of root certificates holds none, more than {ROOTS_MAX}, or something else. "
            "It needs the certificates of the timestamp authority's roots in PEM, one below the "
            "other."
        )
    return tuple(roots)


def _sequence(content: bytes) -> bytes:
    """DER's SEQUENCE around its content (X.690 section 8.1.3)."""
    length = len(content)
    if length < 0x80:
        return bytes([0x30, length]) + content
    octets = length.to_bytes((length.bit_length() + 7) // 8)
    return bytes([0x30, 0x80 | len(octets)]) + octets + content
