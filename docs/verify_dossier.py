"""verify_dossier.py FILE VKEY checks a hireledger dossier. Have VKEY by another way than FILE."""
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
MADE = {"decision-made.v1": "decision gate recommendations", "stage-decided.v1": "outcome stage"}
CITED = {"cites": "", "gate": "evidence-gate-passed", "recommendations": "recommendation", "amends":
         "feedback-s", "feedback": "feedback-s", "exception": "except", "reverses": "decision-made"}
def need(holds, reason):
    if not holds: raise ValueError(reason)
def members(pairs): return dict(pairs) if len(dict(pairs)) == len(pairs) else need(0, "a double")
read = json.JSONDecoder(object_pairs_hook=members, parse_constant=members).decode  # nor NaN
def walk(value, at="", name=""):  # all that stands in a fact: its JSON Pointer, its member's name
    yield at, name, value
    for own in value if type(value) is dict else range(len(value)) if type(value) is list else ():
        yield from walk(value[own], f"{at}/{own}", name if type(own) is int else own)
def selects(items, type_, tags):
    return any(type_ in (i.get("types") or [type_]) and tags >= {*i.get("tags", ())} for i in items)
def root_above(h, size, proof=iter(())):
    while size > 1:  # level by level; the last of an odd number moves up as it is
        for i in {index & ~1 for index in h if index | 1 < size}:
            h[i] = sha256(b"\1" + b"".join(h.get(j) or next(proof, b"") for j in (i, i+1))).digest()
        h, size = {i // 2: node for i, node in h.items() if not i % 2}, (size + 1) // 2
    return h.get(0) if next(proof, None) is None else None
def steps(file, vkey):
    yield "step 1 shape and limits"
    dossier = read(file.decode())
    need(re.fullmatch(DOSSIER, json.dumps(dossier, sort_keys=True, ensure_ascii=False)), "bad form")
    leaves = {one["position"]: one["leaf"].encode() for one in dossier["facts"]}
    need([*leaves] == sorted(leaves) and len(leaves) == len(dossier["facts"]), "facts out of order")
    need(len(file) <= 16_000_000 and max(map(len, leaves.values())) <= 65535, "it is too large")
    yield "step 2 checkpoint"
    name, key_id, key = vkey.split("+", 2)
    need(re.fullmatch("A[Q-Za-f].{42}", key), "VKEY is none: this script reads Ed25519 keys only")
    note = re.fullmatch(NOTE, dossier["checkpoint"])
    need(note and note[2] == f"{name}\n", "it is of another log than VKEY, or no checkpoint")
    by = {(a, (c := b64decode(b))[:4].hex()): c[4:] for a, b in re.findall(" (.+) (.+)\n", note[5])}
    need(len(by) == note[5].count("\n") and (name, key_id) in by, "VKEY did not sign it, once")
    Ed25519.from_public_bytes(b64decode(key)[1:]).verify(by[name, key_id], note[1].encode())
    yield "step 3 inclusion"
    hashes = {at: sha256(b"\0" + leaf).digest() for at, leaf in leaves.items()}
    for at, one in zip(leaves, dossier["facts"]):
        above = root_above({at - 1: hashes[at]}, int(note[3]), map(b64decode, one["proof"]))
        need(at <= int(note[3]) and above == b64decode(note[4]), f"the log does not hold fact {at}")
    yield from story(dossier, hashes)
def story(dossier, hashes):
    yield "step 4 decision"
    told = {one["position"]: read(one["leaf"]) for one in dossier["facts"]}
    kinds = {at: (leaf["type"], {*leaf["stamp"]["tags"]}) for at, leaf in told.items()}
    made, loop, texts = told[dossier["decision"]], dossier["loop"], dossier["disclosures"]
    names = f"{MADE.get(made['type'])} type stamp loop reasons cites judged basis".split()
    need(made["loop"] == loop and {*made} == {*names}, "no decision of the loop stands there")
    types = {type(n) for _, name, n in walk(made) if name in (*CITED, "upto", "count")}
    need(types <= {int, list} and made.get("outcome", "reject") == "reject", "it decides nothing")
    yield "step 5 basis"
    used = {dossier["decision"]}
    for at, own in [(at, leaf["basis"]) for at, leaf in told.items() if "basis" in leaf]:
        held = [n for n in told if n < at and selects(own["items"], *kinds[n])]
        root = b64encode(root_above(dict(enumerate(map(hashes.get, held))), len(held))).decode()
        need(str(own) == str({**own, "upto": at - 1, "count": len(held), "root": root}), f"of {at}")
        used.update(held)
    need(used == {*told}, "a fact is given on which neither the decision nor a gate rests")
    yield "step 6 order"
    when = [datetime.fromisoformat(leaf["stamp"]["recorded"]) for leaf in told.values()]
    need(when == sorted(when) and when[-1] < datetime.now(UTC) + timedelta(minutes=5), "bad clock")
    for at, kind, to in [(at, name, one) for at in told for _, name, one in walk(told[at])]:
        if kind in CITED and type(to) is int:
            need(to < at and to in told and kinds[to][0].startswith(CITED[kind]), f"{at} on {to}")
    yield "step 7 disclosures"
    spots = {(at, str(one)) for leaf in told.values() for at, _, one in walk(leaf)}
    for text in texts:
        sealed = {"_sd": urlsafe_b64encode(sha256(text.encode()).digest()).decode()[:43]}
        _, pointer, _ = parts = read(urlsafe_b64decode(text + "===").decode())
        need("".join(parts) and (pointer, str(sealed)) in spots and texts.count(text) == 1, "unfit")
    yield "step 8 pinned versions"
    [start] = [at for at in told if kinds[at][0] == "loop-opened.v1" and told[at]["loop"] == loop]
    known = {(kind, leaf[kind], leaf["version"]): at for at, leaf in reversed(told.items()) for kind
             in leaf if leaf["type"] in (f"{kind}-versioned.v1", f"{kind[:6]}-set-adopted.v1")}
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
