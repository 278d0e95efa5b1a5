#!/usr/bin/env python3
"""Event patterns that this project did not write, through the real `penstock match`.

    patterns.py [--binary PATH] [--corpus FOLDER] [PART-OF-ID...]

Each case must get the verdict that the corpus states: match, no_match, valid or invalid. Exit code
1 when one differs that is not known below; 0 without a corpus, which is said.
"""

import argparse
import collections
import json
import os
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
FILES = ("event_ruler_correctness_cases.json", "ruler_quamina_pairs.json", "pattern_validity.json")
LIMIT_S = 20

# id -> why our verdict is another one
KNOWN = {
    "val-176": "quamina refuses a value beside exists; event-ruler takes it, and so do we",
}


class Case:
    """One case; pattern and event are texts, as they stand in the corpus when it has them so."""

    def __init__(self, raw):
        self.id = raw["id"]
        self.expect = raw["expect"]
        self.about_validity = self.expect in ("valid", "invalid")
        self.pattern = text_of(raw, "pattern")
        self.event = "{}" if self.about_validity else text_of(raw, "event")
        self.reason = raw.get("event_ruler_error")
        self.got = self.told = None

    def run(self, binary):
        command = [binary, "match", f"--event-pattern={self.pattern}", f"--event={self.event}",
                   "--json"]
        done = subprocess.run(command, stdin=subprocess.DEVNULL, capture_output=True,
                              timeout=LIMIT_S, check=False)
        self.got = self.verdict(done)
        return self

    def verdict(self, done):
        try:
            answer = json.loads(done.stdout)
        except ValueError:
            return f"exit code {done.returncode}: {done.stderr.decode(errors='replace')[:200]}"
        if done.returncode in (0, 1) and answer.get("Result") is (done.returncode == 0):
            found = "match" if answer["Result"] else "no_match"
            return "valid" if self.about_validity else found
        if done.returncode == 2 and answer.get("Error") == "InvalidEventPatternException":
            self.told = reason_of(answer["Message"])
            return "invalid"
        return f"exit code {done.returncode}: {answer}"

    def agrees(self):
        return self.got == self.expect


def text_of(raw, name):
    """For --name=TEXT; what would be taken as a file or as stdin cannot be said so."""
    text = raw.get(f"{name}_raw")
    text = json.dumps(raw[name], ensure_ascii=False) if text is None else text
    if text == "-" or text.startswith("file://") or "\0" in text:
        raise SystemExit(f"{raw['id']}: {text!r} cannot be given on a command line")
    return text


def reason_of(message):
    """The reason alone, without the place that may follow on a line of its own."""
    return message.partition(" Reason: ")[2].partition("\n at [Source:")[0]


def read(corpus):
    cases = []
    for name in FILES:
        content = json.loads((corpus / name).read_text(encoding="utf-8"))
        found = [Case(raw) for raw in (content["cases"] if isinstance(content, dict) else content)]
        print(f"{name}: {len(found)} cases")
        cases += found
    twice = [name for name, n in collections.Counter(c.id for c in cases).items() if n > 1]
    if twice or not cases:
        raise SystemExit(f"{corpus}: ids that are not unique: {twice}" if twice else "no cases")
    return cases


def tell_reasons(cases):
    """How many of event-ruler's own texts we tell word for word; for information."""
    told = [c for c in cases if c.reason and c.got == "invalid"]
    same = [c for c in told if c.told == c.reason.partition("\n at [Source:")[0]]
    for c in told:
        if c not in same:
            print(f"reason {c.id}: {c.told!r}\n   event-ruler: {c.reason!r}")
    print(f"reasons of {len(told)} invalid patterns: {len(same)} as event-ruler says them")


def tell(cases):
    """Prints what differs, then the counts; how many differ that are not known."""
    known = differ = 0
    for c in cases:
        if c.agrees():
            if c.id in KNOWN:
                print(f"{c.id}: agrees, though it is listed as known to differ")
                differ += 1
            continue
        if c.id in KNOWN:
            known += 1
            print(f"known  {c.id}: {c.got}, the corpus says {c.expect}: {KNOWN[c.id]}")
            continue
        differ += 1
        print(f"DIFFER {c.id}: {c.got}, the corpus says {c.expect}\n"
              f"   pattern: {c.pattern}\n   event:   {c.event}")
    tell_reasons(cases)
    agree = sum(c.agrees() for c in cases)
    print(f"{len(cases)} cases, {agree} agree, {known} differ as known, {differ} differ")
    return differ


def main():
    arguments = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    arguments.add_argument("--binary", default=os.environ.get("PENSTOCK") or "build/dev/penstock")
    arguments.add_argument("--corpus", default=os.environ.get("CORPUS_DIR") or
                           ROOT.parent / "shared" / "corpus")
    arguments.add_argument("part", nargs="*")
    options = arguments.parse_args()
    corpus = Path(options.corpus) / "patterns"
    if not corpus.is_dir():
        print(f"SKIP patterns: {corpus} is not there")
        return 0
    binary = (ROOT / options.binary).resolve()
    if not binary.exists():
        print(f"{binary} is not built", file=sys.stderr)
        return 2
    cases = [c for c in read(corpus) if not options.part or any(p in c.id for p in options.part)]
    with ThreadPoolExecutor(max_workers=2 * (os.cpu_count() or 1)) as pool:
        cases = list(pool.map(lambda case: case.run(binary), cases))
    return 1 if tell(cases) else 0


if __name__ == "__main__":
    sys.exit(main())
