/* fuzz_pattern.c - any bytes as an event pattern: refused with a message that is text and a place
 * that exists, or compiled to something that keeps every promise of pattern.h. */
#include "base/utf8.h"
#include "engine/pattern.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n);

enum { LIMIT = 4096 };

static void require(bool ok)
{
    if (!ok)
        abort();
}

static void check_text(struct slice s)
{
    size_t sum = 0;
    for (size_t i = 0; i < s.n; i++)
        sum += (unsigned char)s.p[i];
    require(s.p != NULL && sum <= 255 * s.n);
}

static void check_folded(struct slice s)
{
    char *again = malloc(2 * s.n + 1);
    require(again && pattern_fold(s, again) == s.n && memcmp(again, s.p, s.n) == 0);
    free(again);
}

static void check_address(const struct pattern_value *v)
{
    require(v->address_bytes == 4 || v->address_bytes == 16);
    require(v->bits <= 8 * v->address_bytes);
    for (unsigned i = v->bits; i < 8 * sizeof v->address; i++)
        require(!(v->address[i / 8] & (0x80 >> i % 8)));
}

static void check_value(const struct pattern_value *v, const struct pattern *p, bool nested)
{
    require(v->at < p->text.n);
    if (v->text.n)
        check_text(v->text);
    switch (v->kind) {
    case PATTERN_PREFIX_CI:
    case PATTERN_SUFFIX_CI:
    case PATTERN_EQUALS_CI:
        check_folded(v->text);
        break;
    case PATTERN_WILDCARD:
        require(v->n_parts >= 1);
        for (size_t i = 0; i < v->n_parts; i++) {
            require(v->parts[i].kind == PATTERN_STRING);
            require(v->parts[i].text.n || i == 0 || i + 1 == v->n_parts);
            check_text(v->parts[i].text);
        }
        break;
    case PATTERN_RANGE:
        require(v->low < v->high);
        break;
    case PATTERN_NUMBER:
        require(v->text.n && (isnan(v->low) ? !nested : isfinite(v->low)));
        break;
    case PATTERN_CIDR:
        check_address(v);
        break;
    case PATTERN_BUT:
        require(!nested);
        for (size_t i = 0; i < v->n_parts; i++)
            check_value(&v->parts[i], p, true);
        break;
    default:
        break;
    }
}

static int order(struct slice a, struct slice b)
{
    int by_bytes = memcmp(a.p, b.p, a.n < b.n ? a.n : b.n);
    return by_bytes ? by_bytes : (a.n > b.n) - (a.n < b.n);
}

static void check_branch(const struct pattern_branch *branch, const struct pattern *p)
{
    require(branch->n >= 1);
    for (size_t i = 0; i < branch->n; i++) {
        const struct pattern_field *f = branch->fields[i];
        require(f->n >= 1 && f->at < p->text.n && p->text.p[f->at] == '[');
        check_text(f->path);
        if (i)
            require(order(branch->fields[i - 1]->path, f->path) < 0);
        for (size_t k = 0; k < f->n; k++)
            check_value(&f->values[k], p, false);
    }
}

static void check_refusal(const struct pattern_error *err, struct slice text)
{
    size_t len = strnlen(err->text, sizeof err->text);
    unsigned line, column;
    require(len > 0 && len < sizeof err->text);
    require(utf8_valid((struct slice){err->text, len}));
    require(err->at <= text.n && (err->line == 0) == (err->column == 0));
    pattern_place(text, text.n, &line, &column);
    require(err->line <= line);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
    struct slice text = {(const char *)data, n};
    struct pattern_error err;
    memset(&err, 0x55, sizeof err);
    struct pattern *p = pattern_new(text, LIMIT, &err);
    if (!p) {
        check_refusal(&err, text);
        return 0;
    }
    require(slice_eq(p->text, text) && n <= LIMIT);
    require(p->n_branches >= 1 && p->n_branches <= PATTERN_BRANCHES_MAX);
    require(!p->beyond || p->beyond_at < n);
    /* Many branches are alike; some of them are enough for the time there is. */
    for (size_t i = 0; i < p->n_branches; i += 1 + p->n_branches / 16)
        check_branch(&p->branches[i], p);
    pattern_free(p);
    return 0;
}
