/* curl_ceiling.c - posts with plain libcurl on its own loop: what a backend over HTTP can reach.
 *
 * curl_ceiling URL CONCURRENCY SECONDS -> one JSON line. */
#include "bench.h"

#include <curl/curl.h>
#include <stdio.h>
#include <stdlib.h>

static const char body[] = "{\"key1\":\"value1\",\"key2\":\"value2\",\"n\":1}";

static size_t swallow(char *data, size_t size, size_t n, void *ctx)
{
    (void)data;
    (void)ctx;
    return size * n;
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
    if (argc < 4)
        bench_die("curl_ceiling URL CONCURRENCY SECONDS");
    long n = strtol(argv[2], NULL, 10);
    double seconds = strtod(argv[3], NULL);
    curl_global_init(CURL_GLOBAL_ALL);
    struct curl_slist *headers = curl_slist_append(NULL, "Content-Type: application/json");
    CURLM *multi = curl_multi_init();
    curl_multi_setopt(multi, CURLMOPT_MAXCONNECTS, n);
    for (long i = 0; i < n; i++)
        curl_multi_add_handle(multi, make(argv[1], headers));
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
