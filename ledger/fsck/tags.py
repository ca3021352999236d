"""The index of tags: for each fact exactly its tags, with its type, and nothing besides."""

from typing import Final

from ledger.fsck.pages import Rows
from ledger.fsck.report import Findings

# The columns of facts were compared with the leaves; here the index is compared with the columns.
_DIFFERENCES: Final = """
select position, bool_or(kept is null), bool_or(own is null)
from (select distinct position, type, unnest(tags) as tag, true as own from {}.facts) as a
full join (select position, type, tag, true as kept from {}.fact_tags) as b
    using (position, type, tag)
where own is null or kept is null
group by position order by position
"""
_COUNT: Final = "select count(*) from {}.fact_tags"
_CURE: Final = (
    "The tags in the leaf are the truth: make the rows of `fact_tags` at this position equal to "
    "them (as the owner, with the trigger off and on again). Until then facts are left out when "
    "commands are decided."
)


def check_tags(rows: Rows, findings: Findings) -> None:
    """Says at which positions the index lacks a tag, or has one that the fact has not."""
    ((count,),) = rows.all(_COUNT)
    findings.rows["fact_tags"] += count
    for position, lacking, more in rows.stream(_DIFFERENCES):
        what = [
            *(["lacks a tag of the fact"] if lacking else []),
            *(["has a tag or type that the fact has not"] if more else []),
        ]
        findings.add("tags", f"The index of tags {' and '.join(what)}.", _CURE, position=position)
