"""A dossier as a page: the story in order, nothing hidden, nothing claimed that is not proven."""

import json
import re

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from msgspec.structs import replace

import story
import story_later
from api.pages.dossier_file import html_of
from api.pages.dossier_page import Page, Story, page_of, teller_of
from api.pages.telling.sentences import tell
from arbitrary import facts
from domain import facts as f
from domain.findings import Finding, Judged, Receipt
from dossiers import NOW, VKEY, as_file, dossier_of, valid_dossier, withheld_dossier
from golden import every_fact
from ledger.proof.disclosure import digest_of
from ledger.proof.dossier import decode_dossier
from ledger.proof.verify import verify
from museum import CONTENTS, FOLDER
from page_reader import Read
from told_log import decided_log, installed
from told_pages import failing, page_about, verified_page

HANDLE = re.compile(r"[cpl]_[a-z2-7]{26}")


@pytest.fixture(scope="module")
def page() -> Page:
    """The page of a dossier with which nothing is wrong."""
    return verified_page(valid_dossier())


@pytest.fixture(scope="module")
def told(page: Page) -> Story:
    """What that page tells."""
    assert page.story is not None
    return page.story


def test_the_answer_comes_first_and_is_whole(told: Story) -> None:
    """One paragraph says who, for what, what was decided, when, by whom, and under which rules."""
    answer = " ".join(told.answer)
    for wanted in (
        "Nobody Inparticular was considered for “ML engineer”",
        "On Fri 6 March 2026, 13:54 (UTC+01:00), the decision maker decided to hire",
        "The panel recommended to hire: the decision follows it.",
        "3 people, all of whom counted as independent",
        "scorecard “ml engineer card”, version 1",
        "rules “house”, version 1",
        "1 person disagreed in the debate, and 1 exception from the rules was granted.",
    ):
        assert wanted in answer


def test_a_decision_that_was_taken_back_before_is_in_the_answer() -> None:
    """Whoever reads only the first paragraph knows that it had been decided otherwise."""
    second = replace(story_later.DECISION_MADE, decision="no_hire")
    recorded = (
        story.LOOP_OPENED,
        story_later.DECISION_MADE,
        story_later.DECISION_REVERSED,
        story_later.DECISION_OBSERVED,
        second,
    )
    shown = page_about(recorded, lambda number: f"w{number}").story
    assert shown is not None
    answer = " ".join(shown.answer)
    assert "An earlier decision to hire (No. 2) had been taken back." in answer
    assert "a decision to hire that was made elsewhere, without these rules" in answer
    assert "The decision cites no recommendation of the panel." in answer


def test_what_the_rules_refused_before_is_in_the_answer() -> None:
    """That a decision passed every rule in the end is half of it: how often not before, too."""
    gate, decision = story_later.GATE_REFUSED, story_later.DECISION_REFUSED
    recorded = (story.LOOP_OPENED, gate, decision, decision, story_later.DECISION_MADE)
    shown = page_about(recorded, lambda number: f"w{number}").story
    assert shown is not None
    assert (
        "Before it, the rules had refused the evidence gate once (No. 2) and a decision to hire or"
        " not to hire twice (No. 3 and No. 4)."
    ) in " ".join(shown.answer)
    assert not any("attempts that the rules refused" in text for text in shown.unsaid)


def test_an_amended_feedback_stands_beside_the_original() -> None:
    """Nobody's first words are replaced by their second."""
    recorded = (
        story.SCORECARD_VERSIONED,
        story.LOOP_OPENED,
        story_later.FEEDBACK_SUBMITTED,
        replace(story_later.FEEDBACK_AMENDED, amends=3),
        story_later.DECISION_MADE,
    )
    shown = page_about(recorded, lambda number: f"w{number}").story
    assert shown is not None
    assert [(form.position, form.note) for form in shown.seen.forms] == [
        (3, ""),
        (4, "amends No. 3"),
    ]
    (author,) = shown.seen.interviewers
    assert "independent according to the system it was copied from" in author.independence
    assert "changed after its author had read others' feedback" in author.independence


def test_every_fact_stands_in_the_timeline_once_and_in_order(told: Story) -> None:
    """Nothing that the file proves is passed over."""
    positions = [entry.position for chapter in told.chapters for entry in chapter.entries]
    assert positions == [one["position"] for one in dossier_of(decided_log())["facts"]]


def test_dissent_is_told_with_its_answer(page: Page, told: Story) -> None:
    """Who disagreed is named in a section of its own, whatever was decided."""
    (dissent,) = told.dissents
    assert dissent.who == "Interviewer 2"
    assert dissent.said[0].text == "The costs were guessed, not measured."
    assert dissent.answers[0][2][0].text == "They were measured on the second slice."
    assert 'id="dissent"' in html_of(page)
    assert "The costs were guessed, not measured." in html_of(page)


def test_dissent_that_nobody_answered_says_so() -> None:
    """A dissenter who was ignored is not hidden by silence."""
    html = html_of(page_about(every_fact(), lambda number: f"w{number}"))
    assert "Nobody's answer to it is recorded." in " ".join(Read(html).text.split())


def test_an_exception_is_told_with_all_that_limits_it(told: Story) -> None:
    """From which rule, by whom, why, until when, with which control, and where it was used."""
    (one,) = told.exceptions
    assert one.title == "Feedback is written soon after the session"
    assert one.approver == "the partner for security"
    assert one.said[0].text == "the second interviewer fell ill"
    assert one.expires.local == "Sun 8 March 2026, 13:43 (UTC+01:00)"
    assert not one.controlled
    assert one.used == (("Gate", 45),)


def test_what_the_rules_found_is_told_also_where_they_only_warned(told: Story) -> None:
    """A warning that stopped nothing is still a warning."""
    found = {(one.title, one.strength) for one in told.found}
    assert ("Debates cite evidence", "warned") in found
    assert ("Feedback is written soon after the session", "let pass by exception") in found


def test_whatever_the_timeline_says_was_remarked_on_stands_among_the_findings() -> None:
    """Also what was found when a prompt was written that the loop did not use."""
    shown = page_about([*every_fact(), _remarked_prompt()], lambda number: f"w{number}").story
    assert shown is not None
    linked = {
        (entry.position, finding.message)
        for chapter in shown.chapters
        for entry in chapter.entries
        for finding in entry.told.findings
    }
    listed = {(position, one.message) for one in shown.found for _, position in one.places}
    assert linked == listed
    assert len({position for position, _ in listed}) > 3
    unused = [one for one in shown.found if one.message == "no budget is stated"]
    assert [one.places[0][0] for one in unused] == ["Prompt, not used in this loop"]


def _remarked_prompt() -> f.PromptVersioned:
    """A prompt that no loop uses, which a rule warned about when it was written."""
    finding = Finding(
        policy="design-prompt-constraints",
        version=1,
        enforcement="warn",
        message="no budget is stated",
        cure="State it.",
    )
    warned = Receipt(
        policy=finding.policy,
        version=1,
        enforcement="warn",
        verdict="warned",
        findings=(finding,),
    )
    judged = Judged(now=story.PROMPT_VERSIONED.judged.now, receipts=(warned,))
    return replace(story.PROMPT_VERSIONED, prompt="another", judged=judged)


def test_a_parameter_of_a_rule_stands_as_it_was_set_and_with_what_it_means(told: Story) -> None:
    """Also a parameter that a rule takes from another rule."""
    shown = {one.setting: one.meaning for rule in told.rules for one in rule.params}
    assert shown["words_min = 8"] == "words of evidence for a rating"
    assert shown["every-competency-evidenced.words_min = 8"] == "words of evidence for a rating"
    assert all(shown.values())


def test_a_set_of_one_rule_does_not_look_like_the_only_rule() -> None:
    """A set says what it sets; every other rule judges as it comes."""
    t = teller_of(decode_dossier(valid_dossier()))
    said = [
        tell(replace(story.POLICY_SET_ADOPTED, policies=given), t).sentence
        for given in ((), story.POLICY_SET_ADOPTED.policies[:1])
    ]
    assert "leaves every rule as it comes" in said[0]
    assert "sets 1 rule and leaves every other as it comes" in said[1]


def test_every_rule_that_judged_has_a_title_a_reason_and_its_verdict(told: Story) -> None:
    """The rules of the decision, and of each step before it, are told in words."""
    moments = {name for rule in told.rules for one in rule.verdicts for name, _ in one.moments}
    steps = {"Opening", "Plan", "Stage “screening”", "Gate", "Recommendation", "Decision"}
    assert moments == steps
    for rule in told.rules:
        assert rule.worded.title[0].isupper()
        assert rule.worded.rationale.endswith(".")
    made = decided_log().entries[46].fact
    assert isinstance(made, f.DecisionMade)
    judged = {(one.policy, one.verdict) for one in made.judged.receipts}
    assert judged == {
        (rule.id, one.verdict)
        for rule in told.rules
        for one in rule.verdicts
        if ("Decision", 47) in one.moments
    }


def test_what_was_seen_is_told_by_competency_and_interviewer(told: Story) -> None:
    """Each rating stands with its anchor, its evidence, and how independent its author was."""
    assert len(told.seen.forms) == 4
    assert len(told.seen.competencies) == 4
    rating = told.seen.by_competency[0].ratings[0]
    assert (rating.who, rating.rating) == ("interviewer 1", "3")
    assert rating.anchor
    assert rating.said[0].state == "shown"
    first = told.seen.interviewers[0]
    assert first.independence.startswith("written before its author could read")
    assert first.relationship == "does not know the candidate"
    assert first.counted == "counted as independent"


def test_the_rubric_shows_that_the_very_text_was_approved(told: Story) -> None:
    """Three approvals of exactly this scorecard, and an anchor for every rating."""
    assert [one.capacity for one in told.rubric.approvals] == [
        "hiring manager",
        "tech lead",
        "partner function",
    ]
    assert all(one.same_text for one in told.rubric.approvals)
    assert [len(one.anchors) for one in told.rubric.competencies] == [4, 4, 4, 4]


def test_an_approval_of_another_text_is_told_as_such() -> None:
    """Whoever approved something else did not approve this."""
    other = replace(story.SCORECARD_APPROVED, content_digest="0" * 64)
    recorded = [other if isinstance(one, f.ScorecardApproved) else one for one in every_fact()]
    shown = page_about(recorded, str)
    assert shown.story is not None
    assert [one.same_text for one in shown.story.rubric.approvals] == [False]
    assert "no, another text" in html_of(shown)


def test_a_withheld_value_is_said_to_be_withheld_and_is_nowhere() -> None:
    """A page of a dossier that discloses nothing names nobody, quotes nothing, and says so."""
    shown = verified_page(withheld_dossier())
    html = html_of(shown)
    for one in decided_log().entries:
        for sealed in one.sealed:
            assert digest_of(sealed.disclosure) not in html
    assert "Nobody Inparticular" not in html
    assert "guessed" not in html
    assert shown.story is not None
    assert html.count("Withheld.") >= 16
    assert "21 personal values out of 21" in html
    assert "the candidate was considered" in " ".join(shown.story.answer).lower()


def test_an_erased_value_is_said_to_be_erased() -> None:
    """Whoever exports after an erasure says which words are gone, not only that they are."""
    raw = withheld_dossier()
    verdict = verify(raw, [VKEY], None, installed(), now=NOW)
    sealed = [digest_of(s.disclosure) for one in decided_log().entries for s in one.sealed]
    shown = page_of(raw, verdict, installed(), NOW, erased=sealed)
    html = html_of(shown)
    assert "Erased." in html
    assert "Withheld." not in html


def test_a_file_that_does_not_verify_claims_nothing() -> None:
    """The page says which step failed and why, and tells no word of the file."""
    verdict = failing(5, "A fact of the basis is missing.")
    html = html_of(page_of(valid_dossier(), verdict, installed(), NOW))
    read = Read(html)
    assert "This file does not verify: step 5 of 10 (basis) failed." in read.text
    assert "A fact of the basis is missing." in read.text
    assert "Nobody Inparticular" not in html
    assert "ml-engineer" not in html
    assert not HANDLE.search(read.text)
    assert "decided" not in read.text


@pytest.mark.parametrize("raw", [b"", b"\xff\0", b"{}", valid_dossier()[:-9]])
def test_bytes_that_are_no_dossier_still_make_a_page(raw: bytes) -> None:
    """A broken file is told as broken, never as an error of the program."""
    shown = page_of(raw, verify(raw, [VKEY], None, installed(), now=NOW), installed(), NOW)
    assert shown.story is None
    assert "step 1 of 10" in html_of(shown)


def test_no_exhibit_of_the_museum_of_bad_dossiers_tells_its_story() -> None:
    """Whatever is wrong with a file, its page names the step and not one word of the file."""
    told: set[str] = set()
    listed: dict[str, int] = json.loads((FOLDER / CONTENTS).read_bytes())["steps"]
    for path in sorted(FOLDER.glob("*.json")):
        if path.name == CONTENTS:
            continue
        raw = path.read_bytes()
        shown = page_of(raw, verify(raw, [VKEY], None, installed(), now=NOW), installed(), NOW)
        html = html_of(shown)
        if shown.story is not None:
            told.add(path.name)
        else:
            assert "does not verify" in html
            assert not HANDLE.search(Read(html).text)
    assert told == {name for name, step in listed.items() if step == 0}


def test_the_same_dossier_gives_the_same_page() -> None:
    """Two people who print one file hold the same page."""
    assert html_of(verified_page(valid_dossier())) == html_of(verified_page(valid_dossier()))


def test_a_page_without_a_time_names_none() -> None:
    """No clock is read: only the time that was given is on the page."""
    raw = valid_dossier()
    shown = page_of(raw, verify(raw, [VKEY], None, installed(), now=NOW), installed())
    assert shown.printed is None
    assert "Page made from the file" in " ".join(Read(html_of(shown)).text.split())


def test_every_word_that_a_file_discloses_stands_on_its_page() -> None:
    """Of a dossier with a fact of every type nothing disclosed is passed over, but what people
    said of themselves, which only ever is counted.
    """
    recorded = every_fact()
    counted = [isinstance(one, f.SelfIdentificationRecorded) for one in recorded]
    numbers: list[int] = []

    def word(number: int) -> str:
        numbers.append(number)
        return f"word-{number}-said"

    html = html_of(page_about(recorded, word))
    missing = [number for number in numbers if f"word-{number}-said" not in html]
    assert any(counted)
    assert len(numbers) > 40
    assert len(missing) == 1


def test_how_to_check_names_what_the_file_and_its_log_are(page: Page) -> None:
    """A reader can hold the paper against the file and the checkpoint, and has the commands."""
    read = Read(html_of(page))
    for wanted in (
        page.checks.file_sha256,
        "ledger.example/log",
        "hireledger verify DOSSIER.json --vkey KEY",
        "python verify_dossier.py DOSSIER.json KEY",
        "verify-dossier.html",
        "The key must reach you by another way",
    ):
        assert wanted in " ".join(read.text.split())


@given(drawn=st.lists(facts(), max_size=6))
@settings(max_examples=10, deadline=None, suppress_health_check=[HealthCheck.too_slow])
def test_whatever_facts_a_file_holds_its_page_can_be_made(drawn: list[f.AnyFact]) -> None:
    """No file that verifies is without a page."""
    recorded = [story.LOOP_OPENED, story_later.DECISION_MADE, *drawn]
    last = [one for one in recorded if isinstance(one, f.DecisionMade)][-1]
    shown = page_about(recorded, lambda number: f"w{number}")
    assert shown.running_head.startswith(f"Loop {last.loop}")
    assert html_of(shown)


def test_two_pages_differ_where_two_files_do() -> None:
    """A page says which file it was made from."""
    dossier = dossier_of(decided_log(), disclose=lambda pointer: pointer != "/email")
    assert html_of(verified_page(as_file(dossier))) != html_of(verified_page(valid_dossier()))
