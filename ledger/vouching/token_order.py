"""Timestamp tokens in the order that DER wants, whoever made them.

Authorities built on OpenSSL send the certificates of their chain in the order of their
configuration, and strict readers refuse that: DER sorts a set. The certificates stand beside what
is signed, so that sorting them changes nothing that the authority said. What is kept is a token
that every reader reads.
"""

from typing import Final

from ledger.errors import LedgerError

_SEQUENCE: Final = 0x30
_CONTEXT_0: Final = 0xA0
_LONG: Final = 0x80
_LENGTH_OCTETS_MAX: Final = 4


class NotDer(LedgerError):
    """The bytes are not what they are said to be, or are cut."""


def sorted_reply(reply: bytes) -> bytes:
    """A TimeStampResp with its token's certificates sorted; as it was, where it has no token.

    TimeStampResp (RFC 3161 2.4.2) is a sequence of status and ContentInfo; the latter's [0] holds
    SignedData (RFC 5652 5.1), and the first [0] in that is the set of certificates. Raises
    `NotDer`.
    """
    parts = _children(reply, _SEQUENCE)
    if len(parts) != 2:
        return reply
    status, token = parts
    return _made(_SEQUENCE, [status, _sorted_token(token)])


def _sorted_token(token: bytes) -> bytes:
    kind, wrapped = _children(token, _SEQUENCE, 2)
    (signed,) = _children(wrapped, _CONTEXT_0, 1)
    fields = [
        _made(_CONTEXT_0, sorted(_children(field, _CONTEXT_0))) if field[0] == _CONTEXT_0 else field
        for field in _children(signed, _SEQUENCE)
    ]
    return _made(_SEQUENCE, [kind, _made(_CONTEXT_0, [_made(_SEQUENCE, fields)])])


def _children(value: bytes, tag: int, count: int | None = None) -> list[bytes]:
    """The values inside a constructed one of this tag, each with its tag and length."""
    header, content = _split(value)
    if value[0] != tag or len(value) != header + len(content):
        raise NotDer("The answer is not a timestamp, or not a whole one.")
    found: list[bytes] = []
    while content:
        inner, body = _split(content)
        found.append(content[: inner + len(body)])
        content = content[inner + len(body) :]
    if count is not None and len(found) != count:
        raise NotDer("The answer is not built like a timestamp.")
    return found


def _split(value: bytes) -> tuple[int, bytes]:
    """How many bytes tag and length take, and the content of the value that begins here."""
    if len(value) < 2:
        raise NotDer("The answer is cut.")
    header, length = 2, value[1]
    if length >= _LONG:
        octets = length - _LONG
        header += octets
        if not 1 <= octets <= _LENGTH_OCTETS_MAX or len(value) < header:
            raise NotDer("The answer has a length that is not one of DER.")
        length = int.from_bytes(value[2:header])
    if len(value) < header + length:
        raise NotDer("The answer is cut.")
    return header, value[header : header + length]


def _made(tag: int, parts: list[bytes]) -> bytes:
    content = b"".join(parts)
    length = len(content)
    if length < _LONG:
        return bytes([tag, length]) + content
    octets = length.to_bytes((length.bit_length() + 7) // 8)
    return bytes([tag, _LONG | len(octets)]) + octets + content
