"""Checkpoints as other logs, witnesses and mischief may write them, each in a dossier of its own.

All of them are signed by the log's key over what they say, unless their name says otherwise.
"""

import base64
from collections.abc import Iterator
from typing import Final

from dossiers import KEY, WITNESS, as_file, checkpoint_of, dossier_of
from told_log import small_log

_AT: Final = 1_780_000_000


def odd_notes() -> dict[str, bytes]:
    """Files by the name of what is odd about their checkpoint."""
    file = dossier_of(small_log())
    return {name: as_file({**file, "checkpoint": note}) for name, note in _notes()}


def _line(name: str, blob: bytes, dash: str = "—") -> str:
    return f"{dash} {name} {base64.b64encode(blob).decode()}\n"


def _notes() -> Iterator[tuple[str, str]]:
    text = checkpoint_of(small_log())
    note = KEY.note(text)
    unknown = _line("stranger.example", b"\0" * 68)
    yield "cosigned", note + WITNESS.cosignature_line(text, _AT)
    yield "cosigned twice", note + WITNESS.cosignature_line(text, _AT) * 2
    yield "stranger before the log", f"{text}\n{unknown}{KEY.line(text)}"
    yield "stranger twice", note + unknown * 2
    yield "stranger with two keys", note + unknown + _line("stranger.example", b"\1" * 68)
    yield "large signature", note + _line("stranger.example", b"\0" * 2_432)
    yield "signature of an id alone", note + _line("stranger.example", b"\0" * 4)
    yield "signature of one byte", note + _line("stranger.example", b"\0" * 5)
    yield "signature of nothing", note + "— stranger.example \n"
    yield "base64 with loose bits", note + unknown.replace("A=\n", "B=\n")
    yield "base64 without padding", note + unknown.replace("=\n", "\n")
    yield "base64 for addresses", note + unknown.replace("AAAA", "AA-_", 1)
    yield "hundred lines", note + "".join(_strangers(99))
    yield "hundred and one lines", note + "".join(_strangers(100))
    yield "hyphen for the dash", note + _line("stranger.example", b"\0" * 68, "-")
    yield "no dash", note + "stranger.example AAAAAAAAAAA=\n"
    yield "two spaces", note + "—  stranger.example AAAAAAAAAAA=\n"
    yield "something after the base64", note + "— stranger.example AAAAAAAAAAA= more\n"
    yield "a line that is none", note + "Unexpected line.\n"
    yield "an empty line at the end", note + "\n"
    yield "an empty line between", f"{text}\n{KEY.line(text)}\n{unknown}"
    for mark in ("+", "\u00a0", "\u0085", "\u2028", "\u3000", "\u200b", "\ufeff", "\t", "\x1f"):
        yield f"name with {ord(mark):04x}", note + _line(f"stran{mark}ger", b"\0" * 68)
    yield from ((name, KEY.note(odd)) for name, odd in _texts(text))


def _strangers(count: int) -> Iterator[str]:
    return (_line(f"stranger-{number}.example", b"\0" * 68) for number in range(count))


def _texts(text: str) -> Iterator[tuple[str, str]]:
    origin, size, root = text.splitlines()
    yield "extension lines", text + "one more\n— and one like a signature\n"
    yield "empty extension line", text + "\nmore\n"
    yield "empty line first", "\n" + text
    yield "carriage return", text.replace("\n", "\r\n")
    yield "tab in an extension line", text + "a\tb\n"
    yield "carriage return in an extension line", text + "a\rb\n"
    yield "tab", f"{origin}\n{size}\t\n{root}\n"
    yield "delete character", text + "\x7f\n"
    yield "line separator", text + "a\u2028b\n"
    yield "space after the origin", f"{origin} \n{size}\n{root}\n"
    yield "no facts", f"{origin}\n0\n{root}\n"
    yield "no facts, two zeros", f"{origin}\n00\n{root}\n"
    yield "fewer facts", f"{origin}\n1\n{root}\n"
    yield "size in other digits", f"{origin}\n\u0663\n{root}\n"
    yield "size as a fraction", f"{origin}\n{size}.0\n{root}\n"
    yield "size below nothing", f"{origin}\n-{size}\n{root}\n"
    yield "size in words", f"{origin}\nthree\n{root}\n"
    yield "root with loose bits", f"{origin}\n{size}\n{root[:-2]}{chr(ord(root[-2]) + 1)}=\n"
    yield "root without padding", f"{origin}\n{size}\n{root[:-1]}\n"
    yield "root too long", f"{origin}\n{size}\n{base64.b64encode(bytes(33)).decode()}\n"
    yield "another root", f"{origin}\n{size}\n{base64.b64encode(bytes(32)).decode()}\n"
