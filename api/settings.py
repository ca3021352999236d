"""Every setting of a process: one line each, read from the environment once, then frozen.

`HIRELEDGER_DATA` sets `data`, and so on; the command line's options win. What trust each setting
rests on is said in deploy/README.md.
"""

from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any, Final
from urllib.parse import urlsplit

import msgspec
from msgspec import Meta, Struct

PREFIX: Final = "HIRELEDGER_"
TEST_PREFIX: Final = f"{PREFIX}TEST_"
"""What the tests read for themselves (a seed, say); no setting of a process."""

Text = Annotated[str, Meta(min_length=1)]
Port = Annotated[int, Meta(ge=0, le=65_535)]


class SettingWrong(Exception):
    """A variable of the environment, or an option, cannot be what it is; says which and why."""


class Settings(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """How one process runs. Secrets are among it, so it prints nothing of itself."""

    data: Path = Path(".hireledger")  # keys, the administrator's first key, the embedded store
    database: Text | None = None  # URL of the owner's login; None: the embedded server
    runtime_database: Text | None = None  # URL of a login of its own for requests
    projector_database: Text | None = None  # URL of a login of its own for the read models
    schema: Text = "hireledger"  # the ledger's; one ledger is one schema
    postgres: Path | None = None  # directory of PostgreSQL's programs, for the embedded server
    host: Text = "127.0.0.1"  # address to listen at
    port: Port = 8000  # 0: any free one
    https_only: bool = False  # answers tell browsers to come by TLS only (HSTS)
    otlp_endpoint: Text | None = None  # base URL of a collector of traces, OTLP over HTTP
    key_kek: Text | None = None  # 64 hex digits, or a file of 32 bytes; None: a file in `data`
    key_kek_self_identification: Text | None = None  # likewise
    key_kek_next: Text | None = None  # likewise; while `key_kek` is rotated, what follows it
    key_kek_self_identification_next: Text | None = None  # likewise
    key_hmac: Text | None = None  # likewise
    key_log: Text | None = None  # lines of private keys, or a file of them; None: a file in `data`
    key_log_ml_dsa: bool = False  # checkpoints are signed with ML-DSA-44 as well
    origin: Text | None = None  # the log's name; None: that of its key, a random one at first
    witness_policy: Path | None = None  # file of the witnesses that make a checkpoint published
    tsa: Text | None = None  # URL of a timestamp authority (RFC 3161) for published checkpoints
    tsa_roots: Path | None = None  # PEM file of its roots; None: its signatures go unchecked here

    def __repr__(self) -> str:
        return "<settings>"


_WANTED: Final = {
    "port": "a number from 0 to 65535",
    "https_only": "true or false",
    "key_log_ml_dsa": "true or false",
}
_URLS: Final = ("otlp_endpoint", "tsa")
NAMES: Final = Settings.__struct_fields__


def read_settings(environ: Mapping[str, str], **options: object) -> Settings:
    """The settings that the environment gives, and over them the options that are not None.

    An empty variable counts as not set. Raises `SettingWrong`, which names the variable or option
    and never its value.
    """
    given: dict[str, object] = {}
    for variable, text in environ.items():
        name = variable.removeprefix(PREFIX).lower()
        if not variable.startswith(PREFIX) or variable.startswith(TEST_PREFIX) or not text:
            continue
        if name not in NAMES or variable != variable_of(name):
            known = ", ".join(variable_of(each) for each in NAMES)
            raise SettingWrong(f"There is no setting {variable}. Unset it; there are: {known}.")
        given[name] = _converted(name, text, variable)
    for name, value in options.items():
        if value is not None:
            given[name] = _converted(name, value, f"--{name.replace('_', '-')}")
    return Settings(**given)  # type: ignore[arg-type]


def variable_of(name: str) -> str:
    """The variable of the environment that gives a setting."""
    return PREFIX + name.upper()


def _converted(name: str, value: object, where: str) -> object:
    kind: Any = Settings.__annotations__[name]
    try:
        converted: object = msgspec.convert(value, kind, strict=False, dec_hook=_path)
    except msgspec.ValidationError:
        wanted = _WANTED.get(name, "a text that is not empty")
        raise SettingWrong(f"{where} must be {wanted}.") from None
    if name in _URLS and not _is_url(str(converted)):
        raise SettingWrong(f"{where} must be a URL that begins with http:// or https://.")
    return converted


def _is_url(text: str) -> bool:
    """Whether requests can be sent there: over HTTP, to a host."""
    try:
        parts = urlsplit(text)
        return parts.scheme in {"http", "https"} and bool(parts.hostname) and parts.port != 0
    except ValueError:  # a port that is no number, a bracket that stays open
        return False


def _path(kind: type[Any], value: object) -> Path:
    if kind is Path and isinstance(value, str | Path):
        return Path(value)
    raise ValueError("not a path")
