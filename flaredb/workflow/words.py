"""The words of the field that flaredb uses, each for one thing, and no others."""

from __future__ import annotations

WORDS = {
    "case": "one CT scan, named as its data set names it (`FLARE23_0042`); belongs to a patient",
    "structure": "one thing to segment: `liver` … `left_kidney` (organs), `tumor` (lesion)",
    "label": (
        "one label volume of one case, immutable, from one source; written `FLARE23_0042@aladdin5@1` "
        "(case@source@revision)"
    ),
    "source": (
        "who made a family of labels: `flare23`, `aladdin5`, `blackbean`, `organ/2` (round 2 of the organ task), "
        "`fused/organ-2`"
    ),
    "kind": (
        "of a label: `ground-truth`, `tumor-only` (a ground-truth label that annotates lesions alone; same rank, "
        "not typed by hand), `external`, `pseudo`, `fused`"
    ),
    "annotated": (
        "the structures a label speaks about, each `exhaustive` or `positive-only`. Not the same as present: an "
        "annotated gallbladder may be absent"
    ),
    "accepted": "eligible to be current, per source (or single label) × structure",
    "current label": "per case and structure, the label that wins under the policy (label-sets.md)",
    "snapshot": 'a frozen answer to "what is current", used to train; `s-` + 12 hex',
    "model": "one trained network version; knows its snapshot, configuration, code version; `m-` + 12 hex",
    "task": "the structures a model learns: `organ`, `tumor`, `all`, or one's own in `flaredb.toml`",
    "round": "one turn of a task's loop, `organ/2`: snapshot → train → predict → evaluate → promote or reject",
    "champion, challenger": "per structure, the source now accepted, and the round's own predictions",
    "gate": "the paired comparison of the two on a frozen set of references, with the decision per structure",
    "promotion": "the event that accepts a round's labels, per structure; can be rolled back, never erased",
    "review": "a queue of labels for people to look at or correct",
    "withdraw / purge": "hide from use, undoable / erase a patient's data for good",
    "finding": "a remark about data met on the way (not a radiological finding): severity, case, rule, what was done",
}
