"""The verifier that is a page: the same verdicts in a browser, without a network, for everyone."""

import base64
import json
from collections.abc import Generator
from importlib.resources import files
from pathlib import Path
from typing import Any, Literal, cast

import pytest
from msgspec.structs import replace
from playwright.sync_api import Browser, Page, ViewportSize, sync_playwright

from domain import commands as c
from dossiers import (
    VKEY,
    as_file,
    dossier_of,
    rejected_dossier,
    small_dossier,
    valid_dossier,
    withheld_dossier,
)
from ledger.proof.verdict import STEP_NAMES
from merkle import inclusion_of, leaf_hash
from museum import CONTENTS, FOLDER
from mutations import mutated
from odd_files import odd_files
from odd_notes import odd_notes
from page_policy import with_hashes
from told_log import small_before_the_decision
from verifiers import PAGE, SHARED, by_ledger

CHROMIUM = Path("/usr/bin/chromium")
LISTED = cast("dict[str, int]", json.loads((FOLDER / CONTENTS).read_bytes())["steps"])
SEEDS = 100
LARGE_BYTES = 1_000_000
TREE_SIZE_MAX = 20
PROVEN = """async ([hashes, asked]) => {
    const leaves = hashes.map(fromBase64), roots = [], answers = [];
    for (let size = 1; size <= leaves.length; size++) {
        roots[size] = toBase64(await rootOf(leaves.slice(0, size)));
    }
    for (const [index, size, proof] of asked) {
        try {
            const root = await rootAbove(leaves[index], BigInt(index), BigInt(size), proof);
            answers.push(toBase64(root) === roots[size]);
        } catch (error) {
            if (!(error instanceof Refused)) throw error;
            answers.push(false);
        }
    }
    return answers;
}"""
BROKEN_RULES = "axe.run().then(found => found.violations.map(one => [one.id, one.help]))"
ASK = "([raw, vkey]) => verify(fromBase64(raw), vkey)"
MANY = (
    "async ([raws, vkey]) => { const failed = []; for (const raw of raws) { failed.push("
    "(await verify(fromBase64(raw), vkey)).failed) } return failed }"
)


class Opened:
    """The page in a tab of its own, all that it asked for, and what the browser complained of."""

    def __init__(
        self, browser: Browser, width: int = 1280, scheme: Literal["light", "dark"] = "light"
    ) -> None:
        viewport: ViewportSize = {"width": width, "height": 800}
        self.page: Page = browser.new_page(viewport=viewport, color_scheme=scheme)
        self.asked: list[str] = []
        self.complaints: list[str] = []
        self.page.on("request", lambda request: self.asked.append(request.url))
        self.page.on("console", lambda message: self.complaints.append(message.text))
        self.page.on("pageerror", lambda error: self.complaints.append(str(error)))
        self.page.goto(PAGE.as_uri())

    def verdict(self, raw: bytes, vkey: str = VKEY) -> dict[str, Any]:
        """What the page's own `verify` says of these bytes."""
        said: dict[str, Any] = self.page.evaluate(ASK, [base64.b64encode(raw).decode(), vkey])
        return said

    def failed(self, raws: list[bytes]) -> list[int]:
        """The failed step of each file, 0 for none."""
        files = [base64.b64encode(raw).decode() for raw in raws]
        return cast("list[int]", self.page.evaluate(MANY, [files, VKEY]))

    def choose(self, raw: bytes, vkey: str = VKEY) -> str:
        """What the page says after the key was typed, the file chosen and the button pressed."""
        self.page.get_by_label("Verification key of the ledger").fill(vkey)
        file = {"name": "dossier.json", "mimeType": "application/json", "buffer": raw}
        self.page.get_by_label("Dossier", exact=True).set_input_files([cast("Any", file)])
        self.page.get_by_role("button", name="Check").click()
        return self.says()

    def says(self) -> str:
        """The verdict, once there is one."""
        status = self.page.get_by_role("status")
        status.and_(self.page.locator(":not(:text('Checking'))")).wait_for()
        return status.inner_text()

    def steps(self) -> list[str]:
        """The steps as a reader hears them."""
        return self.page.get_by_role("list", name="Steps").get_by_role("listitem").all_inner_texts()


@pytest.fixture(scope="module")
def browser() -> Generator[Browser]:
    """A browser without a network, started once for these tests."""
    if not CHROMIUM.exists():
        pytest.skip("no browser is installed: apt-get install chromium")
    with sync_playwright() as play:
        launched = play.chromium.launch(executable_path=str(CHROMIUM), args=["--no-sandbox"])
        yield launched
        launched.close()


@pytest.fixture
def opened(browser: Browser) -> Generator[Opened]:
    """The page; at the end of every test it has asked for itself and for nothing else."""
    opened = Opened(browser)
    yield opened
    assert opened.asked == [PAGE.as_uri()]
    opened.page.close()


# ---------------------------------------------------------------- the same verdict


def test_the_page_refuses_every_exhibit_at_the_same_step(opened: Opened) -> None:
    """The museum's files, and the good ones among them."""
    names = sorted(LISTED)
    found = opened.failed([(FOLDER / name).read_bytes() for name in names])
    listed = [LISTED[name] if LISTED[name] <= SHARED else 0 for name in names]
    assert dict(zip(names, found, strict=True)) == dict(zip(names, listed, strict=True))
    assert opened.complaints == []


def test_the_page_reads_every_odd_checkpoint_as_ours_does(opened: Opened) -> None:
    """Cosigned, extended, misspelt: the same are accepted, the rest fail at the same step."""
    files = odd_notes()
    found = dict(zip(files, opened.failed(list(files.values())), strict=True))
    assert found == {name: by_ledger(raw) for name, raw in files.items()}


def test_the_page_reads_every_odd_file_as_ours_does(opened: Opened) -> None:
    """JSON that readers differ on, members at a limit and beyond it, words sealed for elsewhere."""
    files = {name: raw for name, raw in odd_files().items() if len(raw) < LARGE_BYTES}
    found = dict(zip(files, opened.failed(list(files.values())), strict=True))
    assert found == {name: by_ledger(raw) for name, raw in files.items()}


def test_a_file_beyond_the_limit_is_refused_unread(opened: Opened) -> None:
    """Sixteen megabytes are the most, whatever they say."""
    too_large = "vkey => verify(new Uint8Array(BYTES_MAX + 1), vkey).then(said => said.steps[0])"
    step = opened.page.evaluate(too_large, VKEY)
    assert step["reason"] == "It has more than 16000000 bytes; no dossier has."


def test_the_page_takes_the_proof_of_each_leaf_and_no_other(opened: Opened) -> None:
    """In every tree up to 20 leaves; a hash more, less or changed leads elsewhere."""
    leaves = [leaf_hash(b"%d" % index) for index in range(TREE_SIZE_MAX)]
    asked: list[tuple[int, int, list[str]]] = []
    expected: list[bool] = []
    for size in range(1, TREE_SIZE_MAX + 1):
        for index in range(size):
            proof = inclusion_of(leaves[:size], index)
            other = [leaves[0], *proof[1:]]
            for each in (proof, [*proof, leaves[0]], proof[:-1], other):
                asked.append((index, size, [base64.b64encode(one).decode() for one in each]))
                expected.append(each == proof)
    hashes = [base64.b64encode(leaf).decode() for leaf in leaves]
    assert opened.page.evaluate(PROVEN, [hashes, asked]) == expected


def test_the_page_and_ours_agree_on_every_mutation(opened: Opened) -> None:
    """Of 100 seeded mutations each fails both at the same step, or neither."""
    files = [mutated(small_dossier(), seed)[1] for seed in range(SEEDS)]
    assert opened.failed(files) == [by_ledger(raw) for raw in files]


def test_the_page_refuses_every_misspelt_key(opened: Opened) -> None:
    """The next letter in place of each, one letter less, and what is no key at all."""
    spoilt = [f"{VKEY[:at]}{chr(ord(VKEY[at]) + 1)}{VKEY[at + 1 :]}" for at in range(len(VKEY))]
    for vkey in [*spoilt[::4], spoilt[-1], VKEY[:-1], VKEY + "=", "", "++", "not a key"]:
        assert opened.verdict(small_dossier(), vkey)["failed"] == 2, vkey


# ---------------------------------------------------------------- for people


def test_a_judge_reads_who_decided_what_and_when(opened: Opened) -> None:
    """Key, file, button: every step by number and name, and then the decision in a few lines."""
    assert opened.choose(valid_dossier()).startswith("Accepted: steps 1 to 8 passed.")
    steps = opened.steps()
    for number, (name, line) in enumerate(zip(STEP_NAMES, steps, strict=True), 1):
        outcome = "passed" if number <= SHARED else "not checked"
        assert line.startswith(f"Step {number}, {name}: {outcome}. ")
    shown = opened.page.locator("#facts")
    terms = shown.locator("dt").all_inner_texts()
    told = dict(zip(terms, shown.locator("dd").all_inner_texts(), strict=True))
    assert told["Decision"] == "To hire"
    assert told["When, as they said"] == "2026-03-06T12:54:00Z"
    assert "Nobody Inparticular" in told["About"]
    assert told["Reason (competency)"] == "as the evidence shows"
    assert any(term.startswith("Dissent of ") for term in terms)


def test_what_the_rules_refused_before_is_told(opened: Opened) -> None:
    """That the decision passed them in the end is half of it."""
    early = small_before_the_decision(early=True).decided()
    assert opened.choose(as_file(dossier_of(early))).startswith("Accepted")
    assert (
        "Refused by the rules before\n1: the evidence gate"
        in opened.page.locator("#facts").inner_text()
    )


def test_a_rejection_at_a_stage_is_told_as_one(opened: Opened) -> None:
    """Whoever was rejected before anybody decided to hire has a dossier too."""
    assert opened.choose(rejected_dossier()).startswith("Accepted")
    assert "reject at stage screening at position" in opened.steps()[3]
    shown = opened.page.locator("#facts")
    terms = shown.locator("dt").all_inner_texts()
    told = dict(zip(terms, shown.locator("dd").all_inner_texts(), strict=True))
    assert told["Decision"] == "Not to take the candidate further"
    assert told["At the stage"] == "screening"


def test_what_is_withheld_is_said_to_be(opened: Opened) -> None:
    """People are handles, words are withheld, and the file is accepted all the same."""
    assert opened.choose(withheld_dossier()).startswith("Accepted")
    text = opened.page.locator("#facts").inner_text()
    assert "(withheld)" in text
    assert "Nobody" not in text


def test_nothing_is_told_of_a_file_that_is_refused(opened: Opened) -> None:
    """The failed step is named, those after it are not checked, and no story stands below."""
    assert opened.choose(valid_dossier()).startswith("Accepted")
    raw = (FOLDER / "feedback-left-out.json").read_bytes()
    assert opened.choose(raw) == "Refused: step 5, basis, failed."
    outcomes = [line.split(": ")[1].split(". ")[0] for line in opened.steps()]
    assert outcomes == ["passed"] * 4 + ["failed"] + ["not checked"] * 5
    assert not opened.page.locator("#story").is_visible()
    assert opened.page.locator("#facts").inner_text() == ""


def test_a_key_is_never_taken_from_the_file(opened: Opened) -> None:
    """Without a key nothing is checked; with another ledger's the checkpoint is refused."""
    other = json.loads((FOLDER / "dossier-of-another-ledger.json").read_bytes())
    assert opened.choose(json.dumps(other).encode()) == "Refused: step 2, checkpoint, failed."
    page = opened.page
    page.reload()
    opened.asked.pop()
    file = {"name": "d.json", "mimeType": "application/json", "buffer": valid_dossier()}
    page.get_by_label("Dossier", exact=True).set_input_files([cast("Any", file)])
    assert opened.says() == "Nothing has been checked yet."
    assert opened.steps() == []


def test_a_file_can_be_dropped_anywhere_on_the_page(opened: Opened) -> None:
    """It is checked, and the browser does not leave the page for it."""
    opened.page.get_by_label("Verification key of the ledger").fill(VKEY)
    drop = """raw => {
        const data = new DataTransfer();
        data.items.add(new File([fromBase64(raw)], "dropped.json"));
        document.body.dispatchEvent(
            new DragEvent("drop", { dataTransfer: data, bubbles: true, cancelable: true }));
    }"""
    opened.page.evaluate(drop, base64.b64encode(valid_dossier()).decode())
    opened.page.locator("#verdict.good").wait_for()
    assert opened.page.locator("#file-hint").inner_text() == "Dropped: dropped.json"


@pytest.mark.parametrize("lacking", ["crypto.subtle", "Ed25519"])
def test_a_browser_that_cannot_check_says_so(opened: Opened, lacking: str) -> None:
    """Neither accepted nor refused: nothing has been checked, and what to do instead."""
    removed = {
        "crypto.subtle": "Object.defineProperty(crypto, 'subtle', { value: undefined })",
        "Ed25519": "crypto.subtle.importKey = "
        "() => Promise.reject(new DOMException('', 'NotSupportedError'))",
    }
    opened.page.evaluate(f"() => {{ {removed[lacking]} }}")
    said = opened.choose(valid_dossier())
    assert said.startswith("Nothing has been checked: this browser cannot check Ed25519")
    assert opened.steps() == []
    assert not opened.page.locator("#story").is_visible()


# ---------------------------------------------------------------- nothing gets in or out


HOSTILE = "<img src=x onerror=\"document.title='broken into'\"><script>1</script>\u202eesrever"


def hostile_dossier() -> bytes:
    """A valid dossier in which the decision's reasons are markup."""
    log = small_before_the_decision()
    asked = log.asks_decide(cites=log.feedback_positions())
    assert isinstance(asked.command, c.MakeDecision)
    reasons = tuple(replace(one, text=HOSTILE) for one in asked.command.reasons)
    log.does(asked.actor, replace(asked.command, reasons=reasons))
    return as_file(dossier_of(log))


def test_hostile_words_stay_text(opened: Opened) -> None:
    """Markup in what people wrote, in a verdict and in a file's name is shown and runs nothing."""
    assert opened.choose(hostile_dossier()).startswith("Accepted")
    assert HOSTILE in opened.page.locator("#facts dd").all_text_contents()
    opened.page.evaluate(
        "words => { show({ steps: [{ number: 1, name: words, outcome: words, reason: words }],"
        " failed: 0, story: [[words, words]] }); at('file-hint').textContent = words }",
        HOSTILE,
    )
    assert opened.page.locator("main img, main script").count() == 0
    assert opened.page.title() == "Check the dossier of a hiring decision"
    assert opened.complaints == []


def test_the_policy_names_the_only_style_and_script(browser: Browser) -> None:
    """After an edit: python tests/support/page_policy.py writes the hashes anew."""
    page = PAGE.read_text(encoding="utf-8")
    assert with_hashes(page) == page
    assert "default-src 'none'" in page
    assert "unsafe" not in page
    assert browser.version


def test_even_its_own_script_cannot_ask_anybody(opened: Opened) -> None:
    """A request is stopped by the page's policy, and so is markup made of text."""
    request = "fetch('http://127.0.0.1:9/').then(() => 'sent', () => 'stopped')"
    assert opened.page.evaluate(request) == "stopped"
    markup = "try { document.body.innerHTML = '<b>'; 'set' } catch { 'stopped' }"
    assert opened.page.evaluate(markup) == "stopped"
    assert any("Content Security Policy" in one for one in opened.complaints)
    assert opened.page.locator("body > b").count() == 0
    opened.asked[:] = opened.asked[:1]  # what was stopped is on the list of what was tried


@pytest.mark.parametrize(("width", "scheme"), [(1280, "light"), (360, "dark")])
def test_no_rule_of_accessibility_is_broken(
    browser: Browser, width: int, scheme: Literal["light", "dark"]
) -> None:
    """Before, after a good file and after a bad one, on a desk and on a telephone at night."""
    opened = Opened(browser, width, scheme)
    page = opened.page
    page.evaluate(files("axe_playwright_python").joinpath("axe.min.js").read_text("utf-8"))
    assert page.evaluate(BROKEN_RULES) == []
    assert opened.choose((FOLDER / "feedback-left-out.json").read_bytes()).startswith("Refused")
    assert page.evaluate(BROKEN_RULES) == []
    assert opened.choose(valid_dossier()).startswith("Accepted")
    assert page.evaluate(BROKEN_RULES) == []
    assert page.evaluate("document.documentElement.scrollWidth") == width
    page.close()


def test_the_keyboard_alone_is_enough(opened: Opened) -> None:
    """Key, file and button follow each other, and pressing it asks for what is missing."""
    page = opened.page
    page.get_by_label("Verification key of the ledger").focus()
    page.keyboard.insert_text(VKEY)
    focused = "document.activeElement.id || document.activeElement.textContent"
    page.keyboard.press("Tab")
    assert page.evaluate(focused) == "file"
    page.keyboard.press("Tab")
    assert page.evaluate(focused) == "Check"
    page.keyboard.press("Enter")
    assert opened.says().startswith("Nothing has been checked: give the verification key")
