"""How many of what, in words for people."""


def counted(number: int, one: str, several: str | None = None) -> str:
    """`1 fact` or `2 facts`; `several` is for words that take more than an s."""
    return f"{number} {one if number == 1 else several or one + 's'}"
