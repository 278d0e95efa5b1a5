/* test_metrics.c - values, holds and the exact Prometheus text. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "io/metrics.h"
#include <math.h>
#include <string.h>

static void check_text(const struct metrics *m, const char *want)
{
    struct buf out;
    buf_init(&out, 1 << 20);
    metrics_render(m, &out);
    assert_string_equal(out.p, want);
    buf_free(&out);
}

static void nothing_is_an_empty_page(void **state)
{
    (void)state;
    struct metrics *m = metrics_new();
    check_text(m, "");
    metrics_free(m);
    metrics_free(NULL);
}

static void names_and_labels_are_sorted(void **state)
{
    (void)state;
    struct metrics *m = metrics_new();
    struct metric *b = metrics_get(m, METRIC_GAUGE, "b", "second", "");
    struct metric *a2 = metrics_get(m, METRIC_COUNTER, "a", "first", "f=\"y\"");
    struct metric *a1 = metrics_get(m, METRIC_COUNTER, "a", "first", "f=\"x\"");
    metric_set(b, -2.5);
    metric_inc(a1);
    metric_add(a2, 41);
    metric_inc(a2);
    check_text(m, "# HELP a first\n# TYPE a counter\na{f=\"x\"} 1\na{f=\"y\"} 42\n"
                  "# HELP b second\n# TYPE b gauge\nb -2.5\n");
    metrics_free(m);
}

static void a_histogram_counts_up_to_each_bound(void **state)
{
    (void)state;
    struct metrics *m = metrics_new();
    struct metric *h = metrics_get(m, METRIC_HISTOGRAM, "d_seconds", "time", "f=\"x\"");
    metric_observe(h, 0.001);
    metric_observe(h, 0.0011);
    metric_observe(h, 0.4);
    metric_observe(h, 901);
    assert_true(metric_value(h) >= 4 && metric_value(h) <= 4);
    check_text(m, "# HELP d_seconds time\n# TYPE d_seconds histogram\n"
                  "d_seconds_bucket{f=\"x\",le=\"0.001\"} 1\n"
                  "d_seconds_bucket{f=\"x\",le=\"0.002\"} 2\n"
                  "d_seconds_bucket{f=\"x\",le=\"0.005\"} 2\n"
                  "d_seconds_bucket{f=\"x\",le=\"0.01\"} 2\n"
                  "d_seconds_bucket{f=\"x\",le=\"0.02\"} 2\n"
                  "d_seconds_bucket{f=\"x\",le=\"0.05\"} 2\n"
                  "d_seconds_bucket{f=\"x\",le=\"0.1\"} 2\n"
                  "d_seconds_bucket{f=\"x\",le=\"0.2\"} 2\n"
                  "d_seconds_bucket{f=\"x\",le=\"0.5\"} 3\n"
                  "d_seconds_bucket{f=\"x\",le=\"1\"} 3\n"
                  "d_seconds_bucket{f=\"x\",le=\"2\"} 3\n"
                  "d_seconds_bucket{f=\"x\",le=\"5\"} 3\n"
                  "d_seconds_bucket{f=\"x\",le=\"10\"} 3\n"
                  "d_seconds_bucket{f=\"x\",le=\"30\"} 3\n"
                  "d_seconds_bucket{f=\"x\",le=\"60\"} 3\n"
                  "d_seconds_bucket{f=\"x\",le=\"300\"} 3\n"
                  "d_seconds_bucket{f=\"x\",le=\"900\"} 3\n"
                  "d_seconds_bucket{f=\"x\",le=\"+Inf\"} 4\n"
                  "d_seconds_sum{f=\"x\"} 901.4021\n"
                  "d_seconds_count{f=\"x\"} 4\n");
    metrics_free(m);
}

static void a_histogram_without_labels_has_only_bounds(void **state)
{
    (void)state;
    struct metrics *m = metrics_new();
    struct metric *h = metrics_get(m, METRIC_HISTOGRAM, "d", "time", "");
    metric_observe(h, 1000);
    struct buf out;
    buf_init(&out, 1 << 20);
    metrics_render(m, &out);
    assert_non_null(
        strstr(out.p, "\nd_bucket{le=\"900\"} 0\nd_bucket{le=\"+Inf\"} 1\nd_sum 1000\n"));
    buf_free(&out);
    metrics_free(m);
}

static void the_last_hold_removes(void **state)
{
    (void)state;
    struct metrics *m = metrics_new();
    struct metric *a = metrics_get(m, METRIC_COUNTER, "a", "h", "");
    struct metric *again = metrics_get(m, METRIC_COUNTER, "a", "h", "");
    struct metric *other = metrics_get(m, METRIC_COUNTER, "a", "h", "x=\"1\"");
    assert_ptr_equal(a, again);
    metric_inc(a);
    metrics_put(m, a);
    check_text(m, "# HELP a h\n# TYPE a counter\na 1\na{x=\"1\"} 0\n");
    metrics_put(m, again);
    check_text(m, "# HELP a h\n# TYPE a counter\na{x=\"1\"} 0\n");
    metrics_put(m, other);
    check_text(m, "");
    metrics_put(m, NULL);
    a = metrics_get(m, METRIC_GAUGE, "a", "now a gauge", "");
    check_text(m, "# HELP a now a gauge\n# TYPE a gauge\na 0\n");
    metrics_free(m);
}

static void text_is_escaped(void **state)
{
    (void)state;
    struct buf labels;
    buf_init(&labels, 1000);
    metrics_label(&labels, "function", "a\"b\\c\nd");
    metrics_label(&labels, "mapping", "");
    assert_string_equal(labels.p, "function=\"a\\\"b\\\\c\\nd\",mapping=\"\"");
    struct metrics *m = metrics_new();
    metrics_get(m, METRIC_GAUGE, "g", "back\\slash \"and\"\nline", labels.p);
    check_text(m, "# HELP g back\\\\slash \"and\"\\nline\n# TYPE g gauge\n"
                  "g{function=\"a\\\"b\\\\c\\nd\",mapping=\"\"} 0\n");
    buf_free(&labels);
    metrics_free(m);
}

static void numbers_read_back_the_same(void **state)
{
    (void)state;
    struct metrics *m = metrics_new();
    struct metric *g = metrics_get(m, METRIC_GAUGE, "g", "h", "");
    metric_set(g, 0.1);
    check_text(m, "# HELP g h\n# TYPE g gauge\ng 0.1\n");
    metric_set(g, 123456789012345);
    check_text(m, "# HELP g h\n# TYPE g gauge\ng 123456789012345\n");
    metric_set(g, 0.1 + 0.2);
    check_text(m, "# HELP g h\n# TYPE g gauge\ng 0.30000000000000004\n");
    metric_set(g, (double)INFINITY);
    check_text(m, "# HELP g h\n# TYPE g gauge\ng +Inf\n");
    metric_set(g, (double)NAN);
    check_text(m, "# HELP g h\n# TYPE g gauge\ng NaN\n");
    metrics_free(m);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(nothing_is_an_empty_page),
        cmocka_unit_test(names_and_labels_are_sorted),
        cmocka_unit_test(a_histogram_counts_up_to_each_bound),
        cmocka_unit_test(a_histogram_without_labels_has_only_bounds),
        cmocka_unit_test(the_last_hold_removes),
        cmocka_unit_test(text_is_escaped),
        cmocka_unit_test(numbers_read_back_the_same),
    };
    return cmocka_run_group_tests_name("metrics", tests, NULL, NULL);
}
