/* curl_ceiling.c - posts what a backend posts with plain libcurl on its own loop: what a backend
 * over HTTP can reach.
 *
 * curl_ceiling url|lambda URL CONCURRENCY SECONDS -> one JSON line. The first fifth is warm-up. */
#include "bench.h"

#include <curl/curl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const char body[] = "{\"key1\":\"value1\",\"key2\":\"value2\",\"n\":1}";

static size_t swallow(char *data, size_t size, size_t n, void *ctx)
{
    (void)data;
    (void)ctx;
    return size * n;
}

/* What the backends send, with values of the same length. */
static struct curl_slist *make_headers(bool signed_invoke)
{
    static const char *const plain[] = {
        "Content-Type: application/json",
        "Lambda-Runtime-Aws-Request-Id: 8476a536-e9f4-11e8-9739-2dfe598c3fcd",
        "Lambda-Runtime-Deadline-Ms: 1999999999999",
        "Lambda-Runtime-Invoked-Function-Arn: arn:aws:lambda:us-east-1:000000000000:function:f",
        "X-Amzn-Trace-Id: Root=1-5bef4de7-ad49b0e87f6ef6c87fc2e700;"
        "Parent=9a9197af755a6419;Sampled=0",
        NULL};
    static const char *const invoke[] = {
        "Host: 127.0.0.1:40000",
        "X-Amz-Date: 20260101T000000Z",
        "Content-Type: application/json",
        "X-Amz-Invocation-Type: RequestResponse",
        "Authorization: AWS4-HMAC-SHA256 "
        "Credential=AKIDEXAMPLE/20260101/us-east-1/lambda/aws4_request, "
        "SignedHeaders=content-type;host;x-amz-date;x-amz-invocation-type, Signature="
        "5d672d79c15b13162d9279b0855cfba6789a8edb4c82c400e06b5924a6f2b5d7",
        NULL};
    struct curl_slist *list = NULL;
    for (const char *const *line = signed_invoke ? invoke : plain; *line != NULL; line++)
        list = curl_slist_append(list, *line);
    return list;
}

static CURL *make(const char *url, struct curl_slist *headers)
{
    CURL *easy = curl_easy_init();
    if (easy == NULL)
        bench_die("out of memory");
    curl_easy_setopt(easy, CURLOPT_URL, url);
    curl_easy_setopt(easy, CURLOPT_POSTFIELDS, body);
    curl_easy_setopt(easy, CURLOPT_POSTFIELDSIZE, (long)sizeof body - 1);
    curl_easy_setopt(easy, CURLOPT_HTTPHEADER, headers);
    curl_easy_setopt(easy, CURLOPT_WRITEFUNCTION, swallow);
    curl_easy_setopt(easy, CURLOPT_NOSIGNAL, 1L);
    return easy;
}

int main(int argc, char **argv)
{
    if (argc < 5)
        bench_die("curl_ceiling url|lambda URL CONCURRENCY SECONDS");
    long n = strtol(argv[3], NULL, 10);
    double seconds = strtod(argv[4], NULL);
    curl_global_init(CURL_GLOBAL_ALL);
    struct curl_slist *headers = make_headers(strcmp(argv[1], "lambda") == 0);
    CURLM *multi = curl_multi_init();
    curl_multi_setopt(multi, CURLMOPT_MAXCONNECTS, n);
    for (long i = 0; i < n; i++)
        curl_multi_add_handle(multi, make(argv[2], headers));
    int64_t begun = bench_now_us(), start = begun + (int64_t)(seconds * 0.2e6);
    int64_t stop = begun + (int64_t)(seconds * 1e6), cpu = -1;
    unsigned long ok = 0;
    int running, left;
    while (bench_now_us() < stop) {
        curl_multi_perform(multi, &running);
        if (cpu < 0 && bench_now_us() >= start)
            cpu = bench_cpu_us();
        for (CURLMsg *m; (m = curl_multi_info_read(multi, &left)) != NULL;) {
            if (m->data.result != CURLE_OK)
                bench_die("%s", curl_easy_strerror(m->data.result));
            ok += cpu >= 0;
            CURL *easy = m->easy_handle;
            curl_multi_remove_handle(multi, easy);
            curl_multi_add_handle(multi, easy);
        }
        curl_multi_poll(multi, NULL, 0, 100, NULL);
    }
    double took = (double)(bench_now_us() - start) / 1e6;
    printf("{\"rate\":%.1f,\"cpu_us\":%.2f}\n", (double)ok / took,
           (double)(bench_cpu_us() - cpu) / (double)(ok ? ok : 1));
    return 0;
}
