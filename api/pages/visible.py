"""Text that somebody else wrote, shown so that it cannot pretend to be more than text.

Escaping keeps it from being markup. What remains are characters that nobody sees and that change
what is read: controls, the overrides that make a line run from right to left, and letters without
any ink. They are shown by their number. Scripts that run from right to left by nature are left as
they are, and so is what only shapes the letter beside it.
"""

import os
import unicodedata
from itertools import chain
from pathlib import Path
from typing import Final

_SHAPING: Final = frozenset(
    chain(
        map(ord, "\u200c\u200d"),  # the joiners, in words of several scripts
        range(0x180B, 0x180E),  # variation selectors: Mongolian,
        (0x180F,),
        range(0xFE00, 0xFE10),  # of signs and emoji,
        range(0xE0100, 0xE01F0),  # and of ideographs, as in names
    )
)
_LET_STAND: Final = _SHAPING | {0x09, 0x0A}
_LINE_ENDS: Final = str.maketrans({"\u2028": "\n", "\u2029": "\n", "\u0085": "\n"})
_UNSEEN: Final = frozenset(("Cc", "Cf", "Cs"))
_BLANK: Final = frozenset(("Zs", "Zl", "Zp"))
_WITHOUT_INK: Final = frozenset(
    chain(
        # Default_Ignorable_Code_Point of Unicode's DerivedCoreProperties, where the category does
        # not tell: marks, fillers of Hangul, and what is reserved for more of the kind.
        (0x034F, 0x115F, 0x1160, 0x17B4, 0x17B5, 0x2065, 0x3164, 0xFFA0),
        range(0xFFF0, 0xFFF9),
        range(0xE0000, 0xE1000),
        # A pattern of Braille without a dot, and a note without a head.
        (0x2800, 0x1D159),
    )
)


def visible(value: object) -> object:
    """A text without unseen characters; markup of our own and other values as they are."""
    if not isinstance(value, str) or hasattr(value, "__html__"):
        return value
    if value.isascii() and value.isprintable():
        return value
    plain = value.replace("\r\n", "\n").replace("\r", "\n").translate(_LINE_ENDS)
    return "".join(map(_shown, plain))


def in_one_line(value: object) -> str:
    """What a terminal is told of a file's name, or of words from a file: never a second line.

    Line ends and tabs are shown by their number too; a name could feign a line of ours by them.
    """
    text = str(value)
    if text.isascii() and text.isprintable():
        return text
    return "".join(
        _number(letter) if letter in "\n\t\u2028\u2029" else _shown(letter) for letter in text
    )


def as_text(path: Path) -> str:
    """A file's name for a program: what of it is not UTF-8 no JSON can hold, and is replaced."""
    return os.fsencode(path).decode(errors="replace")


def shows_nothing(text: str) -> bool:
    """Whether there is nothing to see in a text: blanks, and characters that have no ink."""
    if text.isascii() and text.isprintable():
        return not text.strip(" ")
    return all(map(_unseen, text))


def _unseen(letter: str) -> bool:
    code, category = ord(letter), unicodedata.category(letter)
    return category in _UNSEEN or category in _BLANK or code in _WITHOUT_INK or code in _SHAPING


def _shown(letter: str) -> str:
    code = ord(letter)
    if code in _LET_STAND:
        return letter
    if code in _WITHOUT_INK or unicodedata.category(letter) in _UNSEEN:
        return _number(letter)
    return letter


def _number(letter: str) -> str:
    return f"⟨U+{ord(letter):04X}⟩"
