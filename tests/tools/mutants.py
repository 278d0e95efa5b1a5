#!/usr/bin/env python3
"""mutants.py - breaks the product on purpose, one line at a time, and asks the tests to notice.

Each mutant is (file, text, replacement), and is given to the simulation and the unit tests of its
part. One that survives is a hole in them or a line that does nothing.

    mutants.py [--seeds N] [--build DIR] [--part engine|queues|spool] [SUBSTRING]
"""
import argparse
import functools
import os
import pathlib
import shlex
import subprocess
import sys
import tempfile

ROOT = pathlib.Path(__file__).resolve().parents[2]
E = "gateway/engine/"

ENGINE = [
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
    (E + "function.c", "        f->account->in_flight--;\n    account_freed(f->account);", "        f->account->in_flight--;"),
    (E + "function.c", "    if (reserved(f) && !f->retired) {", "    if (reserved(f)) {"),
    (E + "function.c", "    function_give_slot(f);\n    count_running(f, -1);\n    enum outcome", "    count_running(f, -1);\n    enum outcome"),
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

QUEUES = [
    (E + "queue_take.c", "    e->takes = c->takes;\n", ""),
    (E + "queue_take.c", "    e->due.due_ms = t->due_ms;\n    e->taken_s", "    e->due.due_ms = queue_now(t->q);\n    e->taken_s"),
    (E + "queue_take.c", "    e->touched = 0;\n", ""),
    (E + "queue_take.c", ".first_ms = e->first_ms, .takes = e->takes};", ".first_ms = e->first_ms, .takes = e->takes + 1};"),
    (E + "queue_take.c", "            e->takes++;\n", ""),
    (E + "queue_take.c", "op->ok && !t->again && !t->q", "op->ok && !t->q"),
    (E + "queue_take.c", "    release_first(t);\n    take_free(t);", "    release(t);\n    take_free(t);"),
    (E + "queue_take.c", "t->again ? QUEUE_ENTRY_FLIGHT : QUEUE_ENTRY_VISIBLE", "QUEUE_ENTRY_VISIBLE"),
    (E + "queue_touch.c", "e->state == QUEUE_ENTRY_FLIGHT && e->takes == receipt->takes", "e->state == QUEUE_ENTRY_FLIGHT"),
    (E + "queue_touch.c", "entry->state != QUEUE_ENTRY_TAKING && entry->takes", "entry->takes"),
    (E + "queue_touch.c", "return latest && !q->settings.fifo ?", "return latest ?"),
    (E + "queue_touch.c", "        e->status = QUEUE_HANDLE_EXPIRED;", "        e->status = QUEUE_OK;"),
    (E + "queue_touch.c", "    entry->touched = 1;\n", ""),
    (E + "queue_touch.c", "if (end_ms > (", "if (false && end_ms > ("),
    (E + "queue_receive.c", "            closed = group;\n", ""),
    (E + "queue_receive.c", "    if (max > room)\n        max = room;\n", ""),
    (E + "queue_receive.c", "list_empty(&q->waiters) && serve(job)", "serve(job)"),
    (E + "queue_receive.c", "job->r->alive != NULL && !job->r->alive(job->r)", "false"),
    (E + "queue_group.c", "container_of(after, struct queue_entry, node)->seq > e->seq", "false"),
    (E + "queue_group.c", "    if (g->out > 0) {\n", "    if (false) {\n"),
    (E + "queue_index.c", "last == NULL || (q->delayed_by_ms == delay_ms &&", "last == NULL || (true &&"),
    (E + "queue_index.c", "e->due.due_ms <= fresh->born_ms", "true"),
    (E + "queue_index.c", "    queue_index_detach(q, e);\n    struct queue_group *g", "    struct queue_group *g"),
    (E + "queue_index.c", "    q->bytes -= e->bytes < q->bytes ? e->bytes : q->bytes;\n", ""),
    (E + "queue_index_view.c", "    q->bytes -= cut < q->bytes ? cut : q->bytes;\n", ""),
    (E + "queue_dead.c", "e->takes >= q->settings.max_receives", "e->takes > q->settings.max_receives"),
    (E + "queue_dead.c", "        h.fields[QUEUE_HEAD_DEDUP_ID] = h.fields[QUEUE_HEAD_ID];\n", ""),
    (E + "queue_dead.c", "to->settings.fifo ? d->born_ms : e->born_ms", "d->born_ms"),
    (E + "queue_dead.c", "d->to->settings.fifo ? queue_wall(d->q->service, d->born_ms) : 0", "queue_wall(d->q->service, d->born_ms)"),
    (E + "queue_send.c", "twin->seq >= mine_from ? PART_SAME : PART_UNDER_WAY", "PART_SAME"),
    (E + "queue_send.c", "return twin == NULL || twin->seq != part->seq ? QUEUE_BROKEN : QUEUE_OK;", "return QUEUE_OK;"),
    (E + "queue_send.c", "part->kind != PART_UNDER_WAY || job->changes[part->change].found", "part->kind != PART_UNDER_WAY"),
    (E + "queue_send.c", "q->settings.dedup_per_group ? e->group : SLICE_NONE", "SLICE_NONE"),
    (E + "queue_send.c", "->noted = job->n_put == 0;", "->noted = false;"),
    (E + "queue_seq.c", "bool must = q->next_seq > q->reserved;", "bool must = false;"),
    (E + "queue_load.c", "    if (q->reserved > o->end)\n        o->end = q->reserved;\n", ""),
    (E + "queue_load.c", "at_ms < now_ms ? at_ms : now_ms", "at_ms"),
    (E + "queue_load.c", "bounded(queue_loop_time(s, row->born_ms), INT64_MIN, now_ms)", "queue_loop_time(s, row->born_ms)"),
    (E + "queue_load.c", "bounded(delay_ms, 0, DELAY_MAX_MS)", "delay_ms"),
    (E + "queue_sweep.c", "        g->out++;\n", "        g->out += 0;\n"),
    (E + "queue_sweep.c", "    } else if (d->first >= q->wiped_below) {", "    } else if (false) {"),
    (E + "queue_sweep.c", "q->bytes -= bytes < q->bytes ? bytes : q->bytes;", ";"),
    (E + "queue_dedup.c", "if (r->pending || r->at_ms", "if (r->at_ms"),
    (E + "queue_dedup.c", "twin != UINT32_MAX && d->ring[d->slots[twin] - 1].at_ms > at_ms", "false"),
    (E + "queue_dedup.c", "if (((j - want) & mask) >= ((j - i) & mask)) {", "if (false) {"),
    (E + "queue_entry.c", "if (((j - want) & mask) >= ((j - i) & mask)) {", "if (false) {"),
    (E + "queue_entry.c", "    heap_set(h, i, last);\n    heap_up(h, i);", "    heap_set(h, i, last);"),
    (E + "queue_attempt.c", "e->busy == 0 && !e->touched &&", "e->busy == 0 &&"),
    (E + "queue_attempt.c", "q->attempts.n <= most && a->at_ms + QUEUE_ATTEMPT_MS", "a->at_ms + QUEUE_ATTEMPT_MS"),
    (E + "queue_move_step.c", "to->settings.fifo != s->q->settings.fifo", "false"),
    (E + "queue_move_step.c", "t->pub.rate > 0 ? (int64_t)n * 1000 / t->pub.rate : 0", "0"),
]

SPOOL = [
    (E + "spool_rows.c", "        else\n            status = sweep(r, i, &more);", "        else\n            i++;"),
    (E + "spool_rows.c", "if (c->kind != SPOOL_PUT && spool_rows_is_wiped(r, c->id))", "if (false)"),
    (E + "spool_rows.c", "if (r->wipes.n > 0 || (c->kind", "if ((c->kind"),
    (E + "spool_rows.c", "c[run].id == c->id + run)", "c[run].id > c->id)"),
    (E + "spool_rows.c", "        r->bytes -= spool_db_int(r->db, SPOOL_SQL_RANGE, 1);\n", ""),
    (E + "spool_rows.c", "return status == SPOOL_DB_OK ? run_on_two(r, SPOOL_SQL_DROP_STATES, first, last) : status;", "return status;"),
    (E + "spool_rows.c", "        if (c[i].found)\n            status = set_state", "            status = set_state"),
    (E + "spool_rows.c", "            c[j].found = false;", "            ;"),
    (E + "spool_rows_scan.c", "if (r->wipes.n == 0 || !spool_rows_is_wiped(r, row.id))", "if (true)"),
    (E + "spool_rows.c", "    r->bytes += (int64_t)(c->key.n + c->head.n + c->body.n);\n", ""),
    (E + "spool_rows.c", "        r->bytes += (int64_t)c->head.n - head_bytes;\n", ""),
    (E + "spool_rows.c", "    r->bytes -= bytes;\n    status = run_on_two", "    status = run_on_two"),
    (E + "spool_rows.c", "    r->bytes -= bytes;\n    status = run_on(r, SPOOL_SQL_DROP,", "    status = run_on(r, SPOOL_SQL_DROP,"),
    (E + "spool_rows.c", "    r->bytes = r->committed_bytes;\n", ""),
    (E + "spool_rows.c", "    r->wipes = r->committed_wipes;\n", "    r->wipes = (struct spool_wipes){0};\n"),
    (E + "spool_rows.c", "        status = run_on(r, SPOOL_SQL_DROP_STATE, c->id);\n    return status == SPOOL_DB_OK ? set_state", "        ;\n    return status == SPOOL_DB_OK ? set_state"),
    (E + "spool_rows.c", "return status == SPOOL_DB_OK ? run_on(r, SPOOL_SQL_DROP_STATE, c->id) : status;", "return status;"),
    (E + "spool_rows.c", "return status == SPOOL_DB_OK ? run_on_two(r, SPOOL_SQL_DROP_STATES, range.id, *last) : status;", "return status;"),
    (E + "spool_rows.c", " && c->first_ms == 0;", ";"),
    (E + "spool_rows_scan.c", "SPOOL_SQL_STATES, 0) < row->id)", "SPOOL_SQL_STATES, 0) <= row->id)"),
    (E + "spool_rows.c", "return status == SPOOL_DB_OK && c->found ? set_state(r, c->id, &first) : status;", "return status;"),
    (E + "spool_rows.c", "    return is_fresh(c) ? SPOOL_DB_OK : set_state(r, c->id, c);", "    return SPOOL_DB_OK;"),
    (E + "spool_rows.c", "    r->new_rows = true;\n", ""),
    (E + "spool_rows_scan.c", "    r->committed_bytes = r->bytes;\n    bool states_ok", "    bool states_ok"),
]


def unit(*names):
    return [f"tests/unit/test_{name}" for name in names]


SIM, QUEUE_SIM = "tests/sim/sim", "tests/queuesim/queue_sim"
OBJECTS = {SIM: "SIM_OBJECTS", QUEUE_SIM: "QUEUE_SIM_OBJECTS"}

# part -> its mutants, and the programs that have to notice, the quick ones first
PARTS = {
    "engine": (ENGINE, unit("mapping_lanes", "function") + [SIM]),
    "queues": (QUEUES, unit("queue_messages", "queue_limits") + [QUEUE_SIM]),
    "spool": (SPOOL, unit("spool", "spool_wipe", "spool_rows", "spool_disk", "spool_open", "spool_power")),
}


def run(cmd, **kw):
    return subprocess.run(cmd, cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, **kw)


@functools.lru_cache
def make_var(build, name):
    out = run(["make", "-s", f"BUILD={build}", "--eval", f"print-var: ; @echo $({name})", "print-var"])
    return shlex.split(out.stdout.strip())


def link(build, target, original, obj, binary):
    """The program with the mutant's object in the place of the original."""
    if target in OBJECTS:
        objects = [obj if o == original else o for o in make_var(build, OBJECTS[target])]
    else:  # an archive gives only what is still missing
        objects = [f"{build}/{target}.o", obj, f"{build}/libpenstock.a"]
    libraries = make_var(build, "LDLIBS") + ["-lcmocka"]
    return run(["gcc", "-pie", *objects, *libraries, "-o", binary])


def notices(target, binary, seeds):
    """Why the program noticed; None: it did not."""
    try:
        result = run([binary] + (["--seeds", str(seeds)] if target in OBJECTS else []), timeout=60)
    except subprocess.TimeoutExpired:
        return "does not end"
    return None if result.returncode == 0 else f"exit {result.returncode}"


def judge(build, seeds, tmp, targets, mutant):
    path, old, new = mutant
    text = (ROOT / path).read_text()
    if text.count(old) != 1:
        return f"STALE (text found {text.count(old)} times)"
    source = pathlib.Path(tmp) / pathlib.Path(path).name
    source.write_text(text.replace(old, new))
    obj, binary = str(source) + ".o", str(source) + ".test"
    flags = make_var(build, "CPPFLAGS") + make_var(build, "CFLAGS")
    flags = [f for f in flags if f != "-Werror"] + ["-w"]
    built = run(["gcc", *flags, "-c", str(source), "-o", obj])
    if built.returncode != 0:
        return "STALE (does not compile)\n" + built.stdout
    for target in targets:
        linked = link(build, target, os.path.join(build, path[:-2] + ".o"), obj, binary)
        if linked.returncode != 0:
            return "STALE (does not link)\n" + linked.stdout
        why = notices(target, binary, seeds)
        if why:
            return f"caught by {os.path.basename(target)} ({why})"
    return "SURVIVED"


def main():
    args = argparse.ArgumentParser()
    args.add_argument("--seeds", type=int, default=4000)
    args.add_argument("--build", default="build/dev")
    args.add_argument("--part", choices=PARTS, action="append")
    args.add_argument("--verbose", action="store_true")
    args.add_argument("only", nargs="?", default="")
    a = args.parse_args()
    tally = {"caught": 0, "SURVIVED": 0, "STALE": 0}
    with tempfile.TemporaryDirectory() as tmp:
        for part in a.part or PARTS:
            mutants, targets = PARTS[part]
            objects = [f"{a.build}/{t}.o" for t in targets if t not in OBJECTS]
            built = run(["make", "-s", f"BUILD={a.build}", *objects] +
                        [f"{a.build}/{t}" for t in targets])
            if built.returncode != 0:
                sys.exit(f"the tests do not build\n{built.stdout}")
            for mutant in mutants:
                if a.only not in mutant[0] + mutant[1]:
                    continue
                verdict = judge(a.build, a.seeds, tmp, targets, mutant)
                tally[verdict.split()[0]] += 1
                if a.verbose or not verdict.startswith("caught"):
                    print(f"{verdict}: {mutant[0]}: {mutant[1]!r} -> {mutant[2]!r}", flush=True)
    print(f"{tally['caught']} of {sum(tally.values())} mutants caught, {tally['SURVIVED']} survived, "
          f"{tally['STALE']} stale")
    sys.exit(1 if tally["STALE"] else 0)


if __name__ == "__main__":
    main()
