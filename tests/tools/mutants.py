#!/usr/bin/env python3
"""mutants.py - breaks the engine on purpose, one line at a time, and asks the simulation to notice.

Each mutant is (file, text, replacement). A mutant that survives is a hole in the simulation or a
line that does nothing. Usage: mutants.py [--seeds N] [--build DIR] [SUBSTRING]
"""
import argparse
import os
import pathlib
import shlex
import subprocess
import sys
import tempfile

ROOT = pathlib.Path(__file__).resolve().parents[2]
E = "gateway/engine/"

MUTANTS = [
    (E + "batch.c", "    no_slot_any_more(b);\n    buf_free(&b->payload);\n    if (d->reply",
     "    b->sent = false;\n    buf_free(&b->payload);\n    if (d->reply"),
    (E + "batch.c", "        lane_unmark(l, r);\n        list_remove", "        list_remove"),
    (E + "batch.c", "lane_put_back(l, r);", "lane_put(l, r);"),
    (E + "batch.c", "if (m->phase != MAPPING_RUN) {\n        batch_release(b, false);\n        return;\n    }", ""),
    (E + "batch.c", "if (dead && m->graveyard != NULL)", "if (false)"),
    (E + "batch.c", "if (d->reply.outcome == OUTCOME_OK) {\n        loop_defer", "if (true) {\n        loop_defer"),
    (E + "batch.c", "if (!whole && b->n > 0)\n            return;", ""),
    (E + "batch.c", "    lane_mark(b->lane, r);\n}", "}"),
    (E + "batch.c", "list_each(&b->records, it) container_of(it, struct record, node)->failed = false;", ""),
    (E + "batch.c", "        function_cancel(m->function, &b->delivery);", "        function_give_slot(m->function);"),
    (E + "batch.c", "records > left->records || ", ""),
    (E + "judge.c", "b->attempts += d.counts;", "b->attempts += 1;"),
    (E + "judge.c", "b->attempts += d.counts;", ""),
    (E + "judge.c", "batch_give_back(b, good);", ""),
    (E + "judge.c", "size_t good = leading(b, is_good);", "size_t good = b->n;"),
    (E + "judge.c", "r->decision = decide(b, r, o == OUTCOME_OK && r->failed ? OUTCOME_FAILED : o);",
     "r->decision = decide(b, r, o);"),
    (E + "judge.c", "            o = OUTCOME_FAILED;\n        }", "        }"),
    (E + "judge.c", "l->limit = (b->n + 1) / 2;\n        batch_give_back(b, l->limit);", ""),
    (E + "judge.c", "b->lane->limit = (b->n + 1) / 2;", ""),
    (E + "judge.c", "if (old > 0)\n        batch_give_back(b, old);", ""),
    (E + "lane.c", "if (!l->exclusive || map_get(&l->busy, r->key) == NULL)", "if (true)"),
    (E + "lane.c", "l->parallel = ordered ? 1 : UINT32_MAX;", "l->parallel = UINT32_MAX;"),
    (E + "lane.c", "if (!timer_armed(&l->window))\n        timer_start(loop, &l->window, left);", ""),
    (E + "lane.c", "return l->queued >= l->limit || ", "return l->queued > l->limit || "),
    (E + "mapping.c", "m->held_records--;\n        m->held_bytes -= record_bytes(r);\n        record_free(r);\n    }\n    list_remove",
     "m->held_bytes -= record_bytes(r);\n        record_free(r);\n    }\n    list_remove"),
    (E + "mapping.c", "    release_behind(l, b);\n", ""),
    (E + "mapping.c", "    drop_lane_if_idle(m, l);\n    mapping_kick(m);", "    mapping_kick(m);"),
    (E + "mapping.c", "    mapping_kick(m);\n    loop_defer(m->env->loop, &m->pump);\n    if (m->phase", "    if (m->phase"),
    (E + "mapping.c", "    loop_defer(m->env->loop, &m->pump);\n    if (m->phase", "    if (m->phase"),
    (E + "mapping.c", "    function_wait(m->function, &m->waiter);\n    return false;", "    return false;"),
    (E + "mapping.c", "if ((int64_t)m->out >= m->parallel) {", "if (false) {"),
    (E + "mapping.c", "        release_waiting(m);\n        return;", "        return;"),
    (E + "mapping.c", "    release_stalled(m);\n", ""),
    (E + "mapping.c", "m->unsettled > 0 || m->held_records > 0 ||", ""),
    (E + "mapping.c", "return most > m->held_records ? most - m->held_records : 0;", "return most;"),
    (E + "mapping.c", "    if (list_empty(&m->stalled))\n        send_lanes(m);", "    send_lanes(m);"),
    (E + "function.c", "if (function_free_slots(f) == 0)\n        return false;", ""),
    (E + "function.c", "        if (!list_empty(&f->waiters))\n            loop_defer(f->env->loop, &f->wake);", ""),
    (E + "function.c", "    if (!list_empty(&f->account->waiters))\n        loop_defer(f->account->loop, &f->account->wake);", ""),
    (E + "function.c", "    d->function = NULL;\n    function_give_slot(f);\n    enum outcome", "    d->function = NULL;\n    enum outcome"),
    (E + "policy.c", "if (!counts)\n        return decide(VERDICT_RETRY, delay, false);", ""),
    (E + "policy.c", "bool spent = p->max_attempts >= 0 && a->count >= p->max_attempts;", "bool spent = false;"),
    (E + "policy.c", "return decide(VERDICT_ACK, 0, true);", "return decide(VERDICT_RELEASE, 0, true);"),
    (E + "policy.c", "return spent ? give_up(p, a->source_flags) : decide(VERDICT_RELEASE, delay, true);",
     "return decide(VERDICT_ACK, 0, true);"),
    (E + "partial.c", "        if (r == NULL)\n            return malformed(why, \"an itemIdentifier names no record of the batch\");",
     "        if (r == NULL)\n            continue;"),
    (E + "partial.c", "        r->failed = true;", ""),
    (E + "scale.c", "if (free_slots == 0)\n        function_wait(m->function, &m->waiter);", ""),
    (E + "scale.c", "    if (batches > m->parallel)\n        batches = m->parallel;", ""),
    (E + "scale.c", "wanted > 0 ? wanted : MOST;", "MOST;"),
    (E + "scale.c", "    m->parallel++;\n    mapping_kick(m);", "    mapping_kick(m);"),
]


def run(cmd, **kw):
    return subprocess.run(cmd, cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, **kw)


def make_var(build, name):
    out = run(["make", "-s", f"BUILD={build}", "--eval", f"print-var: ; @echo $({name})", "print-var"])
    return shlex.split(out.stdout.strip())


def judge(build, seeds, tmp, mutant):
    path, old, new = mutant
    text = (ROOT / path).read_text()
    if text.count(old) != 1:
        return f"STALE (text found {text.count(old)} times)"
    source = pathlib.Path(tmp) / pathlib.Path(path).name
    source.write_text(text.replace(old, new))
    obj, binary = str(source) + ".o", str(source) + ".sim"
    flags = make_var(build, "CPPFLAGS") + make_var(build, "CFLAGS")
    flags = [f for f in flags if f != "-Werror"] + ["-w"]
    built = run(["gcc", *flags, "-c", str(source), "-o", obj])
    if built.returncode != 0:
        return "STALE (does not compile)\n" + built.stdout
    original = os.path.join(build, path[:-2] + ".o")
    objects = [obj if o == original else o for o in make_var(build, "SIM_OBJECTS")]
    linked = run(["gcc", "-pie", *objects, *make_var(build, "LDLIBS"), "-o", binary])
    if linked.returncode != 0:
        return "STALE (does not link)\n" + linked.stdout
    try:
        result = run([binary, "--seeds", str(seeds)], timeout=120)
    except subprocess.TimeoutExpired:
        return "caught (does not end)"
    return "SURVIVED" if result.returncode == 0 else "caught"


def main():
    args = argparse.ArgumentParser()
    args.add_argument("--seeds", type=int, default=4000)
    args.add_argument("--build", default="build/dev")
    args.add_argument("only", nargs="?", default="")
    a = args.parse_args()
    if run(["make", "-s", f"BUILD={a.build}", f"{a.build}/tests/sim/sim"]).returncode != 0:
        sys.exit("the simulation does not build")
    tally = {"caught": 0, "SURVIVED": 0, "STALE": 0}
    with tempfile.TemporaryDirectory() as tmp:
        for mutant in MUTANTS:
            if a.only not in mutant[0] + mutant[1]:
                continue
            verdict = judge(a.build, a.seeds, tmp, mutant)
            tally[verdict.split()[0]] += 1
            if not verdict.startswith("caught"):
                print(f"{verdict}: {mutant[0]}: {mutant[1]!r} -> {mutant[2]!r}")
    print(f"{tally['caught']} of {sum(tally.values())} mutants caught, {tally['SURVIVED']} survived, "
          f"{tally['STALE']} stale")
    sys.exit(1 if tally["STALE"] else 0)


if __name__ == "__main__":
    main()
