/* test_spool_open.c - files that a spool refuses to open, and what it says about them. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "engine/spool_sql.h"
#include "spool_fixture.h"
#include <fcntl.h>
#include <sqlite3.h>
#include <sys/wait.h>

static void refused(struct fixture *f, const char *part)
{
    assert_false(fixture_open(f));
    if (strstr(f->err.text, part) == NULL || strstr(f->err.text, f->path) == NULL)
        fail_msg("\"%s\" and the path expected in: %s", part, f->err.text);
}

static void write_at(const struct fixture *f, off_t at, const void *p, size_t n)
{
    int fd = open(f->path, O_WRONLY | O_CREAT, 0600);
    assert_true(fd >= 0);
    assert_int_equal(pwrite(fd, p, n, at), n);
    close(fd);
}

static void run_sql(const struct fixture *f, const char *sql)
{
    sqlite3 *db;
    assert_int_equal(sqlite3_open(f->path, &db), SQLITE_OK);
    assert_int_equal(sqlite3_exec(db, sql, NULL, NULL, NULL), SQLITE_OK);
    sqlite3_close(db);
}

static int64_t ask_sql(const struct fixture *f, const char *sql)
{
    sqlite3 *db;
    sqlite3_stmt *st;
    assert_int_equal(sqlite3_open(f->path, &db), SQLITE_OK);
    assert_int_equal(sqlite3_prepare_v2(db, sql, -1, &st, NULL), SQLITE_OK);
    assert_int_equal(sqlite3_step(st), SQLITE_ROW);
    int64_t value = sqlite3_column_int64(st, 0);
    sqlite3_finalize(st);
    sqlite3_close(db);
    return value;
}

static void the_file_is_made_as_it_should_be(void **state)
{
    struct fixture *f = *state;
    assert_true(fixture_open(f));
    assert_true(fixture_put(f, 1, "x"));
    fixture_close(f);
    assert_int_equal(ask_sql(f, "PRAGMA page_size"), SPOOL_PAGE_BYTES);
    assert_int_equal(ask_sql(f, "PRAGMA auto_vacuum"), 2);
    assert_int_equal(ask_sql(f, "PRAGMA user_version"), SPOOL_SCHEMA);
    assert_int_equal(ask_sql(f, "PRAGMA application_id"), SPOOL_APPLICATION_ID);
    assert_int_equal(ask_sql(f, "SELECT journal_mode = 'wal' FROM pragma_journal_mode"), 1);
}

static void a_second_gateway_is_refused(void **state)
{
    struct fixture *f = *state;
    assert_true(fixture_open(f));
    struct fixture second = *f;
    second.spool = NULL;
    char pid[32];
    snprintf(pid, sizeof pid, "(process %d)", (int)getpid());
    refused(&second, "another gateway");
    refused(&second, pid);
    assert_true(fixture_put(f, 1, "the first one goes on"));
    fixture_close(f);
    assert_true(fixture_open(f));
}

/* SQLite's locks are of the process: the other program is another one. */
static void the_file_is_closed_to_other_programs(void **state)
{
    struct fixture *f = *state;
    assert_true(fixture_open(f));
    assert_true(fixture_put(f, 1, "x"));
    char command[256];
    snprintf(command, sizeof command,
             "exec python3 -c \"import sqlite3; sqlite3.connect('%s', timeout=0)"
             ".execute('select count(*) from message')\" 2>&1",
             f->path);
    FILE *p = popen(command, "r");
    assert_non_null(p);
    char said[4096] = "";
    size_t n = fread(said, 1, sizeof said - 1, p);
    said[n] = '\0';
    assert_int_not_equal(pclose(p), 0);
    assert_non_null(strstr(said, "database is locked"));
}

static void a_file_in_use_by_another_program_is_refused(void **state)
{
    struct fixture *f = *state;
    assert_true(fixture_open(f));
    fixture_close(f);
    int ready[2], end[2];
    assert_int_equal(pipe(ready) | pipe(end), 0);
    pid_t child = fork();
    if (child == 0) {
        sqlite3 *db;
        char c = 'x';
        sqlite3_open(f->path, &db);
        sqlite3_exec(db, "BEGIN IMMEDIATE", NULL, NULL, NULL);
        close(end[1]);
        ssize_t rc = write(ready[1], &c, 1) + read(end[0], &c, 1);
        _exit(rc < 0);
    }
    char c;
    close(end[0]);
    assert_int_equal(read(ready[0], &c, 1), 1);
    refused(f, "in use by another program");
    close(end[1]);
    close(ready[0]);
    close(ready[1]);
    assert_int_equal(waitpid(child, NULL, 0), child);
    assert_true(fixture_open(f));
}

static void a_newer_schema_is_refused_by_number(void **state)
{
    struct fixture *f = *state;
    assert_true(fixture_open(f));
    fixture_close(f);
    run_sql(f, "PRAGMA user_version = 7");
    refused(f, "newer penstock (schema 7, this one knows 1)");
    assert_int_equal(ask_sql(f, "PRAGMA user_version"), 7);
}

static void a_database_of_another_program_is_refused(void **state)
{
    struct fixture *f = *state;
    run_sql(f, "CREATE TABLE songs(name TEXT)");
    refused(f, "of another program");
    assert_int_equal(ask_sql(f, "SELECT count(*) FROM sqlite_schema"), 1);
}

static void a_file_that_is_no_database_is_refused(void **state)
{
    struct fixture *f = *state;
    static char text[5000];
    memset(text, 'x', sizeof text);
    write_at(f, 0, text, sizeof text);
    refused(f, "not a database");
    struct stat st;
    assert_int_equal(stat(f->path, &st), 0);
    assert_int_equal(st.st_size, sizeof text);
}

static void a_missing_table_is_damage(void **state)
{
    struct fixture *f = *state;
    assert_true(fixture_open(f));
    fixture_close(f);
    run_sql(f, "DROP TABLE state");
    refused(f, "damaged: no such table: state");
}

static void damaged_pages_are_found_by_the_scan(void **state)
{
    struct fixture *f = *state;
    assert_true(fixture_open(f));
    static char body[3000];
    memset(body, 'b', sizeof body - 1);
    for (uint64_t id = 1; id <= 100; id++)
        assert_true(fixture_put(f, id, body));
    fixture_close(f);
    int64_t pages = ask_sql(f, "PRAGMA page_count");
    static char rubbish[SPOOL_PAGE_BYTES];
    memset(rubbish, 0x5a, sizeof rubbish);
    for (int64_t page = pages / 2; page < pages; page++)
        write_at(f, page * SPOOL_PAGE_BYTES, rubbish, sizeof rubbish);
    assert_true(fixture_open(f));
    struct seen s;
    assert_false(fixture_scan(f, &s));
    assert_non_null(strstr(f->err.text, "damaged"));
    assert_non_null(strstr(f->err.text, f->path));
}

static void a_directory_is_refused(void **state)
{
    struct fixture *f = *state;
    assert_int_equal(mkdir(f->path, 0700), 0);
    refused(f, "not a regular file");
    assert_int_equal(rmdir(f->path), 0);
}

static void a_missing_directory_is_named(void **state)
{
    struct fixture *f = *state;
    struct fixture other = *f;
    snprintf(other.path, sizeof other.path, "%s/none/spool", f->folder);
    refused(&other, "/none: No such file or directory");
    write_at(f, 0, "x", 1);
    snprintf(other.path, sizeof other.path, "%s/spool/below", f->folder);
    refused(&other, "not a directory");
}

/* Rights do not bind root: as somebody else then. */
static void what_cannot_be_written_is_refused(void **state)
{
    struct fixture *f = *state;
    assert_true(fixture_open(f));
    fixture_close(f);
    assert_int_equal(chmod(f->folder, 0755), 0);
    char lock[128];
    snprintf(lock, sizeof lock, "%s.lock", f->path);
    bool root = geteuid() == 0;
    assert_int_equal(chmod(lock, root ? 0666 : 0600), 0);
    assert_int_equal(chmod(f->path, 0444), 0);
    assert_int_equal(root ? seteuid(65534) : 0, 0);
    refused(f, "cannot be written: Permission denied");
    assert_int_equal(root ? seteuid(0) : 0, 0);
    assert_int_equal(chmod(lock, 0400), 0);
    assert_int_equal(root ? seteuid(65534) : 0, 0);
    refused(f, ".lock: cannot be written: Permission denied");
    assert_int_equal(root ? seteuid(0) : 0, 0);
}

static void an_empty_file_becomes_a_spool(void **state)
{
    struct fixture *f = *state;
    write_at(f, 0, "", 0);
    assert_true(fixture_open(f));
    assert_true(fixture_put(f, 1, "x"));
}

int main(void)
{
#define T(name) cmocka_unit_test_setup_teardown(name, fixture_setup, fixture_teardown)
    const struct CMUnitTest tests[] = {
        T(the_file_is_made_as_it_should_be),      T(a_second_gateway_is_refused),
        T(the_file_is_closed_to_other_programs),  T(a_file_in_use_by_another_program_is_refused),
        T(a_newer_schema_is_refused_by_number),   T(a_database_of_another_program_is_refused),
        T(a_file_that_is_no_database_is_refused), T(a_missing_table_is_damage),
        T(damaged_pages_are_found_by_the_scan),   T(a_directory_is_refused),
        T(a_missing_directory_is_named),          T(what_cannot_be_written_is_refused),
        T(an_empty_file_becomes_a_spool),
    };
#undef T
    return cmocka_run_group_tests(tests, NULL, NULL);
}
