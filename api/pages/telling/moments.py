"""Times as a reader of the place would write them, with the offset, and in UTC."""

from datetime import UTC, datetime, tzinfo
from typing import Final
from zoneinfo import ZoneInfo

from msgspec import Struct

_DAYS: Final = ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")
_MONTHS: Final = (
    "January", "February", "March", "April", "May", "June", "July", "August", "September",
    "October", "November", "December",
)  # fmt: skip


class Moment(Struct, frozen=True):
    """A time for the page: machine-readable, at the place, and in UTC."""

    iso: str
    local: str
    utc: str


def zone_of(name: str) -> tzinfo:
    """The zone of this name (IANA), or UTC where there is none such here."""
    try:
        return ZoneInfo(name)
    except (ValueError, OSError, LookupError):
        return UTC


def moment(time: datetime, zone: tzinfo) -> Moment:
    """`Mon 9 March 2026, 13:00 (UTC+01:00)` and `12:00 UTC`, with its day where it is another."""
    try:
        here, utc = time.astimezone(zone), time.astimezone(UTC)
    except OverflowError:  # the first or last day that a date can name
        return Moment(time.isoformat(), time.isoformat(sep=" ", timespec="minutes"), "")
    offset = here.strftime("%z")
    # A true minus sign: at a hyphen the line could break.
    ahead = f"{offset[:3]}:{offset[3:5]}".replace("-", "\u2212")
    local = f"{_day(here)}, {here:%H:%M} (UTC{ahead})"
    day = "" if here.date() == utc.date() else f"{_date(utc)}, "
    return Moment(utc.isoformat().replace("+00:00", "Z"), local, f"{day}{utc:%H:%M} UTC")


def _day(time: datetime) -> str:
    return f"{_DAYS[time.weekday()]} {_date(time)}"


def _date(time: datetime) -> str:
    return f"{time.day} {_MONTHS[time.month - 1]} {time.year}"
