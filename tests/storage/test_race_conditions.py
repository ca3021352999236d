"""Of two that append on the same condition at the same instant, exactly one wins."""

from eventsourcing.dcb.api import DCBAppendCondition, DCBEvent, DCBQuery, DCBQueryItem
from eventsourcing.persistence import IntegrityError

import log_contender
from ledger.database import Database
from ledger.recorder import Recorder
from racers import racer

TAGS = 300


def test_of_two_processes_exactly_one_records_under_each_tag(database: Database) -> None:
    """One contends through the library's interface, the other in a transaction of its own."""
    ours: list[int] = []
    with (
        Recorder(database) as recorder,
        racer(log_contender.__file__, database, [TAGS]) as contender,
    ):
        head = recorder.append([DCBEvent("opened.v1", b"opened", [])])
        contender.go()
        # From the middle on, so that each has tags to itself and they meet where one overtakes.
        for number in (*range(TAGS // 2, TAGS), *range(TAGS // 2)):
            tags = [log_contender.tag(number)]
            condition = DCBAppendCondition(DCBQuery([DCBQueryItem(tags=tags)]), after=head)
            try:
                recorder.append([DCBEvent("taken.v1", b"ours", tags)], condition)
            except IntegrityError:
                continue
            ours.append(number)
        contender.finish()
        taken = [(one.event.data, one.event.tags) for one in recorder.read(after=head)]

    theirs = [int(line) for line in contender.said]
    assert sorted(ours + theirs) == list(range(TAGS)), "a tag was taken twice, or by nobody"
    assert sorted(tags for _, tags in taken) == sorted(
        [log_contender.tag(number)] for number in range(TAGS)
    )
    assert (len(ours), len(theirs)) == tuple(
        sum(data == name for data, _ in taken) for name in (b"ours", b"theirs")
    )
    assert ours, "the other was always faster: nobody raced"
    assert theirs, "we were always faster: nobody raced"
