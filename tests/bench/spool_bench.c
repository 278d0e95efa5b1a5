/* spool_bench.c - the spool beside the bare group-commit loop on SQLite that it cannot exceed.
 *
 * spool_bench DIRECTORY [SECONDS [MILLION]] -> one line of JSON for each figure: operations and
 * rows a second, median and 99th percentile of an operation in µs. MILLION rows (1 unless told)
 * are left waiting for the figure of the scan. Bodies have 256 bytes, heads 96. */
#include "bench.h"

#include "base/log.h"
#include "engine/spool.h"
#include "engine/spool_sql.h"

#include <limits.h>
#include <sqlite3.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { BODY = 256, HEAD = 96, BATCH = 10, FLIGHTS = 256 };

static char body[BODY], head[HEAD], path[PATH_MAX];
static double seconds = 2;

static void remove_files(void)
{
    static const char *const ends[] = {"", "-wal", "-shm", ".lock"};
    for (size_t i = 0; i < ARRAY_LEN(ends); i++) {
        char name[PATH_MAX + 8];
        snprintf(name, sizeof name, "%s%s", path, ends[i]);
        unlink(name);
    }
}

static void print(const char *name, size_t flights, double ops, double rows, struct bench_times *t)
{
    printf("{\"name\": \"%s\", \"in_flight\": %zu, \"ops_per_s\": %.0f, \"rows_per_s\": %.0f, "
           "\"p50_us\": %lld, \"p99_us\": %lld}\n",
           name, flights, ops, rows, (long long)bench_times_at(t, 0.5),
           (long long)bench_times_at(t, 0.99));
    fflush(stdout);
    free(t->us);
    *t = (struct bench_times){0};
}

/* ---- bare SQLite */

static void must(int rc, sqlite3 *db)
{
    if (rc != SQLITE_OK && rc != SQLITE_DONE && rc != SQLITE_ROW)
        bench_die("sqlite: %s", sqlite3_errmsg(db));
}

static sqlite3 *bare_open(void)
{
    sqlite3 *db;
    remove_files();
    must(sqlite3_open(path, &db), db);
    for (size_t i = 0; spool_sql_settings[i] != NULL; i++)
        must(sqlite3_exec(db, spool_sql_settings[i], NULL, NULL, NULL), db);
    must(sqlite3_exec(db, spool_sql_steps[0], NULL, NULL, NULL), db);
    return db;
}

static void bare(size_t group)
{
    sqlite3 *db = bare_open();
    sqlite3_stmt *put;
    must(sqlite3_prepare_v2(db, spool_sql_text[SPOOL_SQL_PUT], -1, &put, NULL), db);
    struct bench_times times = {0};
    int64_t begin = bench_now_us(), now = begin, id = 1LL << SPOOL_SEQUENCE_BITS, first = id;
    while (now - begin < (int64_t)(seconds * 1e6)) {
        must(sqlite3_exec(db, "BEGIN IMMEDIATE", NULL, NULL, NULL), db);
        for (size_t i = 0; i < group; i++) {
            sqlite3_bind_int64(put, 1, id++);
            sqlite3_bind_int64(put, 2, begin);
            sqlite3_bind_blob(put, 3, "", 0, SQLITE_STATIC);
            sqlite3_bind_blob(put, 4, head, HEAD, SQLITE_STATIC);
            sqlite3_bind_blob(put, 5, body, BODY, SQLITE_STATIC);
            sqlite3_step(put);
            must(sqlite3_reset(put), db);
        }
        must(sqlite3_exec(db, "COMMIT", NULL, NULL, NULL), db);
        if ((id - first) % 20000 < (int64_t)group)
            must(sqlite3_wal_checkpoint_v2(db, NULL, SQLITE_CHECKPOINT_PASSIVE, NULL, NULL), db);
        int64_t end = bench_now_us();
        bench_times_add(&times, end - now);
        now = end;
    }
    double rows = (double)(id - first) * 1e6 / (double)(now - begin);
    print("bare SQLite commits", group, rows / (double)group, rows, &times);
    sqlite3_finalize(put);
    sqlite3_close(db);
}

/* ---- the spool */

struct run;
struct flight {
    struct spool_op op;
    struct spool_change changes[BATCH];
    struct run *run;
    int64_t begun_us;
};

struct run {
    struct loop *loop;
    struct spool *spool;
    void (*next)(struct flight *); /* fills in what comes; n = 0: nothing left */
    size_t batch, flying;
    uint64_t id, end; /* the next one; of takes: where they end */
    uint64_t rows, ops;
    int64_t end_us;
    struct bench_times times;
    struct flight flights[FLIGHTS];
};

static void put_next(struct flight *f)
{
    struct run *r = f->run;
    if (bench_now_us() >= r->end_us || (r->end != 0 && r->id >= r->end))
        return;
    for (f->op.n = 0; f->op.n < r->batch; f->op.n++)
        f->changes[f->op.n] = (struct spool_change){.kind = SPOOL_PUT,
                                                    .id = r->id++,
                                                    .born_ms = 1,
                                                    .key = SLICE_NONE,
                                                    .head = {head, HEAD},
                                                    .body = {body, BODY}};
}

/* What was taken is dropped; then others are taken. */
static void take_drop_next(struct flight *f)
{
    struct run *r = f->run;
    bool taken = f->changes[0].kind == SPOOL_TAKE && f->changes[0].found;
    if (!taken && (bench_now_us() >= r->end_us || r->id + r->batch > r->end))
        return;
    for (f->op.n = 0; f->op.n < r->batch; f->op.n++) {
        struct spool_change *c = &f->changes[f->op.n];
        if (taken)
            *c = (struct spool_change){.kind = SPOOL_DROP, .id = c->id};
        else
            *c = (struct spool_change){
                .kind = SPOOL_TAKE, .id = r->id++, .takes = 1, .due_ms = 2, .first_ms = 1};
    }
    if (taken)
        r->rows += r->batch;
}

static void fly(struct flight *f)
{
    struct run *r = f->run;
    spool_op_clear(&f->op);
    f->op.n = 0;
    r->next(f);
    if (f->op.n == 0) {
        if (--r->flying == 0)
            loop_stop(r->loop);
        return;
    }
    f->begun_us = bench_now_us();
    spool_submit(r->spool, &f->op);
}

static void on_done(struct spool_op *op)
{
    struct flight *f = container_of(op, struct flight, op);
    if (!op->ok)
        bench_die("not ok: %s", op->why);
    bench_times_add(&f->run->times, bench_now_us() - f->begun_us);
    f->run->ops++;
    if (f->changes[0].kind == SPOOL_PUT)
        f->run->rows += op->n;
    fly(f);
}

static void run(struct run *r, const char *name, void (*next)(struct flight *), size_t flights,
                size_t batch)
{
    r->next = next;
    r->batch = batch;
    r->flying = flights;
    r->rows = r->ops = 0;
    int64_t begin = bench_now_us(), limit = name != NULL ? (int64_t)(seconds * 1e6) : INT32_MAX;
    r->end_us = begin + limit;
    for (size_t i = 0; i < flights; i++) {
        r->flights[i] = (struct flight){.run = r};
        r->flights[i].op.changes = r->flights[i].changes;
        r->flights[i].op.done = on_done;
        fly(&r->flights[i]);
    }
    loop_run(r->loop);
    double took = (double)(bench_now_us() - begin) / 1e6;
    if (name != NULL)
        print(name, flights, (double)r->ops / took, (double)r->rows / took, &r->times);
    free(r->times.us);
    r->times = (struct bench_times){0};
}

static void open_spool(struct run *r)
{
    struct error err;
    const struct spool_options options = {.path = path};
    if (r->loop == NULL)
        r->loop = loop_new(&err);
    r->spool = spool_open(r->loop, &options, &err);
    if (r->spool == NULL)
        bench_die("%s", err.text);
}

static void fresh_spool(struct run *r)
{
    spool_close(r->spool);
    remove_files();
    open_spool(r);
    r->id = spool_id(1, 0);
    r->end = 0;
}

/* A queue of n rows; takes then go through it. */
static void fill(struct run *r, uint64_t n)
{
    fresh_spool(r);
    r->end = r->id + n;
    run(r, NULL, put_next, 64, BATCH);
    r->id = spool_id(1, 0);
}

static void ignore_note(void *ctx, struct slice name, struct slice value)
{
    (void)ctx, (void)name, (void)value;
}

static void count_row(void *ctx, const struct spool_row *row)
{
    *(uint64_t *)ctx += row->bytes;
}

static long resident_kb(void)
{
    long pages = 0;
    FILE *f = fopen("/proc/self/statm", "r");
    if (f == NULL || fscanf(f, "%*d %ld", &pages) != 1)
        bench_die("no /proc/self/statm");
    fclose(f);
    return pages * (sysconf(_SC_PAGESIZE) / 1024);
}

static void scan(struct run *r, uint64_t n)
{
    fill(r, n);
    spool_close(r->spool);
    r->spool = NULL;
    struct error err;
    uint64_t bytes = 0;
    int64_t begin = bench_now_us();
    open_spool(r);
    int64_t opened = bench_now_us();
    if (!spool_scan(r->spool, ignore_note, count_row, &bytes, &err))
        bench_die("%s", err.text);
    int64_t end = bench_now_us();
    printf("{\"name\": \"scan\", \"rows\": %llu, \"open_ms\": %lld, \"scan_ms\": %lld, "
           "\"bytes\": %llu, \"resident_kb\": %ld}\n",
           (unsigned long long)n, (long long)(opened - begin) / 1000,
           (long long)(end - opened) / 1000, (unsigned long long)bytes, resident_kb());
}

static void wiped(struct spool_op *op)
{
    if (!op->ok)
        bench_die("not ok: %s", op->why);
}

/* What others notice of it when all these rows are wiped. */
static void wipe(struct run *r)
{
    struct spool_change all = {
        .kind = SPOOL_WIPE, .id = spool_id(1, 0), .to_id = spool_id(2, 0) - 1};
    struct spool_op op = {.changes = &all, .n = 1, .done = wiped};
    r->id = spool_id(2, 0);
    r->end = 0;
    spool_submit(r->spool, &op);
    run(r, "PUT during a WIPE of all that", put_next, 8, 1);
    int64_t left = spool_bytes(r->spool) - (int64_t)r->rows * (HEAD + BODY);
    printf("{\"name\": \"WIPE\", \"bytes_left\": %lld}\n", (long long)left);
}

int main(int argc, char **argv)
{
    if (argc < 2)
        bench_die("usage: spool_bench DIRECTORY [SECONDS [MILLION]]");
    snprintf(path, sizeof path, "%s/bench.spool", argv[1]);
    if (argc > 2)
        seconds = strtod(argv[2], NULL);
    double million = argc > 3 ? strtod(argv[3], NULL) : 1;
    memset(body, 'b', sizeof body);
    memset(head, 'h', sizeof head);
    static const size_t groups[] = {1, 10, 32, 100, 200};
    for (size_t i = 0; i < ARRAY_LEN(groups); i++)
        bare(groups[i]);
    struct run r = {0};
    static const size_t flights[] = {1, 8, 32, 256};
    for (size_t i = 0; i < ARRAY_LEN(flights); i++) {
        fresh_spool(&r);
        run(&r, "PUT", put_next, flights[i], 1);
    }
    for (size_t i = 0; i < 3; i++) {
        fresh_spool(&r);
        run(&r, "PUT of 10", put_next, flights[i], BATCH);
    }
    for (size_t i = 0; i < 3; i++) {
        fill(&r, (uint64_t)(seconds * 200000));
        run(&r, "TAKE of 10, DROP of 10", take_drop_next, flights[i], BATCH);
    }
    if (million > 0) {
        scan(&r, (uint64_t)(million * 1e6));
        wipe(&r);
    }
    spool_close(r.spool);
    loop_free(r.loop);
    remove_files();
    return 0;
}
