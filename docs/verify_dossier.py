"""Checks a hireledger dossier with Python 3.11 and cryptography: verify_dossier.py FILE VKEY
VKEY is the log's verification key, which the company gave you by another way than FILE."""
import json, re, sys
from base64 import b64decode, b64encode, urlsafe_b64decode, urlsafe_b64encode
from datetime import UTC, datetime, timedelta
from hashlib import sha256
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey as Ed25519
B64 = "(?:[A-Za-z0-9+/]{4})*(?:[A-Za-z0-9+/]{2}[AEIMQUYcgkosw048]=|[A-Za-z0-9+/][AQgw]==)?"
HASH, N, ROW = "[A-Za-z0-9+/]{42}[AEIMQUYcgkosw048]=", "[1-9][0-9]{0,14}", "[^\0-\x1f]+\n"
NOTE = f"(({ROW})(0|{N})\n({HASH})\n(?:{ROW})*)\n((?:— [^\\s+]+ (?=.{{6}}[^=]){B64}\n){{1,100}})"
TEXT = r'"(?:[^"\\\ud800-\udfff]|\\.){0,%d}+"'  # these are of JSON, written with sorted members
FACT = rf'{{"leaf": {TEXT % 65535}, "position": {N}, "proof": \[(?:"{HASH}"(?:, )?){{0,63}}]}}'
RULE = (rf'{{"id": {TEXT % 64}, "rationale": {TEXT % 4000}, "source_digest": "[0-9a-f]{{64}}", '
        rf'"title": {TEXT % 400}, "version": {N}}}')
DOSSIER = (rf'{{"checkpoint": {TEXT % 200000}, "decision": {N}, "disclosures": '
           rf'\[(?:{TEXT % 10**6}(?:, )?){{0,20000}}], "facts": \[(?:{FACT}(?:, )?){{1,2000}}], '
           rf'"format": "hireledger-dossier/1", "loop": "l_[a-z2-7]{{26}}", "policies": '
           rf'\[(?:{RULE}(?:, )?){{0,1000}}], "timestamps": \[(?:"{B64}"(?:, )?){{0,16}}]}}')
MADE = {*"type stamp loop decision reasons cites gate recommendations judged basis".split()}
CITED = {"cites": "", "gate": "evidence-gate-passed", "recommendations": "recommendation", "amends":
         "feedback-s", "feedback": "feedback-s", "exception": "except", "reverses": "decision-made"}
def need(holds, reason):
    if not holds: raise ValueError(reason)
def members(pairs):
    return dict(pairs) if len(dict(pairs)) == len(pairs) else need(False, "a member stands twice")
def selects(items, type_, tags):
    return any(type_ in i.get("types", [type_]) and tags >= {*i.get("tags", ())} for i in items)
def root_above(nodes, size, proof=iter(())):
    while size > 1:  # level by level; the last of an odd number moves up as it is
        for left in {index & ~1 for index in nodes if index | 1 < size}:
            pair = [nodes.get(at) or next(proof, b"") for at in (left, left + 1)]
            nodes[left] = sha256(b"\1" + pair[0] + pair[1]).digest()
        nodes, size = {i // 2: node for i, node in nodes.items() if not i % 2}, (size + 1) // 2
    return nodes.get(0) if next(proof, None) is None else None
def steps(file, vkey):
    yield "step 1 shape and limits"
    dossier = json.loads(file.decode(), object_pairs_hook=members)
    text = json.dumps(dossier, sort_keys=True, ensure_ascii=False)
    need(len(file) <= 16_000_000 and re.fullmatch(DOSSIER, text), "it is not as the format has it")
    leaves = {one["position"]: one["leaf"].encode() for one in dossier["facts"]}
    need([*leaves] == sorted(leaves) and len(leaves) == len(dossier["facts"]), "facts out of order")
    need(max(map(len, leaves.values())) <= 65535, "a fact has more than 65,535 bytes")
    yield "step 2 checkpoint"
    name, key_id, key = vkey.split("+", 2)
    note = re.fullmatch(NOTE, dossier["checkpoint"])
    need(note and note[2] == f"{name}\n" and re.fullmatch("A[Q-Za-f].{42}", key), "not VKEY's log")
    blobs = [(who, b64decode(blob)) for who, blob in re.findall("— (.+) (.+)\n", note[5])]
    signed = {(who, blob[:4].hex()): blob[4:] for who, blob in blobs}
    need(len(signed) == len(blobs) and (name, key_id) in signed, "VKEY did not sign it, once")
    Ed25519.from_public_bytes(b64decode(key)[1:]).verify(signed[name, key_id], note[1].encode())
    yield "step 3 inclusion"
    hashes = {at: sha256(b"\0" + leaf).digest() for at, leaf in leaves.items()}
    for at, one in zip(leaves, dossier["facts"]):
        above = root_above({at - 1: hashes[at]}, int(note[3]), map(b64decode, one["proof"]))
        need(at <= int(note[3]) and above == b64decode(note[4]), f"the log does not hold fact {at}")
    yield from story(dossier, leaves, hashes)
def story(dossier, leaves, hashes):
    yield "step 4 decision"
    told = {at: json.loads(leaf, object_pairs_hook=members) for at, leaf in leaves.items()}
    kinds = {at: (leaf["type"], {*leaf["stamp"]["tags"]}) for at, leaf in told.items()}
    made, loop, texts = told[dossier["decision"]], dossier["loop"], dossier["disclosures"]
    need((made["type"], made["loop"], {*made}) == ("decision-made.v1", loop, MADE), "another fact")
    yield "step 5 basis"
    used = {dossier["decision"]}
    for at, basis in [(at, leaf["basis"]) for at, leaf in told.items() if "basis" in leaf]:
        chosen = [n for n in told if n < at and selects(basis["items"], *kinds[n])]
        root = b64encode(root_above(dict(enumerate(map(hashes.get, chosen))), len(chosen))).decode()
        need(basis == basis | {"upto": at - 1, "count": len(chosen), "root": root}, f"of fact {at}")
        used.update(chosen)
    need(used == {*told}, "a fact is given on which neither the decision nor a gate rests")
    yield "step 6 order"
    when = [datetime.fromisoformat(leaf["stamp"]["recorded"]) for leaf in told.values()]
    need(when == sorted(when) and when[-1] < datetime.now(UTC) + timedelta(minutes=5), "bad clock")
    for at, leaf in leaves.items():
        for kind, cites in re.findall(rf'"({"|".join(CITED)})":\[?(\d+(?:,\d+)*)', leaf.decode()):
            for one in map(int, cites.split(",")):
                right = one < at and one in told and told[one]["type"].startswith(CITED[kind])
                need(right, f"the fact at {at} cannot rest on {one}")
    yield "step 7 disclosures"
    for text in texts:
        digest = urlsafe_b64encode(sha256(text.encode()).digest()).decode()[:43]
        _, pointer, _ = json.loads(urlsafe_b64decode(text + "=" * (-len(text) % 4)))
        spot = {"": next((told[at] for at, leaf in leaves.items() if digest.encode() in leaf), "")}
        for step in pointer.split("/"): spot = spot[int(step) if type(spot) is list else step]
        need(spot == {"_sd": digest} and texts.count(text) == 1, "one is misplaced or repeated")
    yield "step 8 pinned versions"
    [start] = [at for at in told if kinds[at][0] == "loop-opened.v1" and told[at]["loop"] == loop]
    known = {(kind, leaf[kind], leaf["version"]): at for at, leaf in reversed(told.items())
             for kind in ("scorecard", "posting", "policy_set", "prompt")
             if kind in leaf and leaf["type"].endswith(("-versioned.v1", "-adopted.v1"))}
    for kind, pin in [(kind, told[start][kind]) for kind in ("scorecard", "posting", "policy_set")]:
        need(known.get((kind, pin["id"], pin["version"]), start) < start, f"no {kind} is given")
    for ref in [ref for leaf in told.values() for ref in leaf.get("prompts", ())]:
        asked = selects(made["basis"]["items"], "prompt-versioned.v1", {f"prompt:{ref['id']}"})
        need(asked or ("prompt", ref["id"], ref["version"]) in known, "a prompt is not given")
if __name__ == "__main__":
    try:
        for step in steps(open(sys.argv[1], "rb").read(), sys.argv[2]): print(step)
    except Exception as why: sys.exit(f"FAILED: {why!a}")
    print("All of these hold. Not checked: step 9 replay, step 10 timestamps, and witnesses")
