/* cli_invoke.c - `penstock invoke`: one invocation against a running gateway. */
#include "base/base64.h"
#include "base/json_in.h"
#include "base/json_out.h"
#include "engine/sink.h"
#include "gateway/cli.h"
#include "io/http_client.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { PAYLOAD_READ_MAX = PAYLOAD_MAX_BYTES + 1, CALL_MS = 960 * 1000 };

struct once {
    struct http_call call;
    struct loop *loop;
};

static void on_done(struct http_call *c)
{
    loop_stop(container_of(c, struct once, call)->loop);
}

static bool percent_encode(struct buf *out, const char *text)
{
    for (const char *p = text; *p != '\0'; p++) {
        unsigned char c = (unsigned char)*p;
        bool plain = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
                     strchr("-_.~", c) != NULL;
        if (plain)
            buf_char(out, (char)c);
        else
            buf_printf(out, "%%%02X", (unsigned)c);
    }
    return !out->full;
}

static void tell_error(struct slice body)
{
    struct json *root = json_parse(body, RESPONSE_MAX_BYTES, NULL);
    struct slice type = json_text(json_get(root, "errorType"));
    struct slice message = json_text(json_get(root, "errorMessage"));
    if (type.n > 0 || message.n > 0)
        fprintf(stderr, SLICE_FMT ": " SLICE_FMT "\n", SLICE_ARG(type), SLICE_ARG(message));
    else
        fprintf(stderr, "function error\n");
    json_free(root);
}

static void tell_api_error(const struct http_call *c)
{
    struct slice body = buf_slice(&c->response);
    struct json *root = json_parse(body, RESPONSE_MAX_BYTES, NULL);
    struct slice text = json_text(json_get(root, "message"));
    if (text.n == 0)
        text = json_text(json_get(root, "Message"));
    if (text.n == 0)
        text = slice_trim(body);
    struct slice name = http_call_header(c, "x-amzn-ErrorType");
    fprintf(stderr, "penstock invoke: %d " SLICE_FMT ": " SLICE_FMT "\n", c->status,
            SLICE_ARG(name), SLICE_ARG(text));
    json_free(root);
}

static void print_json(const struct http_call *c)
{
    struct buf b;
    struct json_out out;
    size_t at;
    buf_init(&b, (size_t)2 * RESPONSE_MAX_BYTES);
    json_out_init(&out, &b);
    json_object(&out);
    json_kv_i64(&out, "StatusCode", c->status);
    json_kv_str(&out, "RequestId", http_call_header(c, "x-amzn-RequestId"));
    struct slice failed = http_call_header(c, "X-Amz-Function-Error");
    if (failed.n > 0)
        json_kv_str(&out, "FunctionError", failed);
    json_key(&out, "Payload");
    if (json_valid(buf_slice(&c->response), &at))
        json_raw(&out, slice_trim(buf_slice(&c->response)));
    else
        json_str(&out, buf_slice(&c->response));
    json_end(&out);
    printf("%s\n", b.p);
    buf_free(&b);
}

static int tell(const struct http_call *c, const char *url, bool json)
{
    if (c->result != HTTP_DONE) {
        fprintf(stderr, "penstock invoke: cannot reach %s: %s\n", url, c->detail);
        return CLI_UNREACHABLE;
    }
    if (json)
        print_json(c);
    if (c->status == 429) {
        tell_api_error(c);
        return CLI_THROTTLED;
    }
    if (c->status != 200) {
        tell_api_error(c);
        return c->status >= 500 ? CLI_UNREACHABLE : CLI_USAGE;
    }
    if (!json) {
        fwrite(c->response.p, 1, c->response.n, stdout);
        printf("\n");
    }
    if (http_call_header(c, "X-Amz-Function-Error").n == 0)
        return CLI_OK;
    tell_error(buf_slice(&c->response));
    return CLI_FUNCTION_ERROR;
}

static int call(const char *url, struct slice payload, bool json)
{
    struct error err = {0};
    struct once o = {.loop = loop_new(&err)};
    struct http_client *client = o.loop == NULL ? NULL : http_client_new(o.loop);
    static const char *const headers[] = {"Content-Type: application/json",
                                          "X-Amz-Invocation-Type: RequestResponse"};
    int code = CLI_UNREACHABLE;
    if (client != NULL) {
        o.call.method = "POST";
        o.call.url = url;
        o.call.headers = headers;
        o.call.n_headers = ARRAY_LEN(headers);
        o.call.body = payload;
        o.call.timeout_ms = CALL_MS;
        o.call.max_response_bytes = RESPONSE_MAX_BYTES;
        o.call.done = on_done;
        http_client_start(client, &o.call);
        loop_run(o.loop);
        code = tell(&o.call, url, json);
        http_call_clear(&o.call);
    } else {
        fprintf(stderr, "penstock invoke: %s\n", err.text);
    }
    http_client_free(client);
    loop_free(o.loop);
    return code;
}

int cli_invoke(struct cli_args *a)
{
    const char *api = cli_option(a, NULL, "--api", "http://127.0.0.1:9001");
    const char *event = cli_option(a, "-e", "--event", NULL);
    const char *qualifier = cli_option(a, NULL, "--qualifier", NULL);
    bool async = cli_flag(a, "--async");
    if (!cli_operands(a, 1, 1, "invoke FUNCTION [-e FILE|-] [--qualifier Q] [--api URL] [--json]"))
        return CLI_USAGE;
    if (async) {
        fprintf(stderr, "penstock invoke: --async is not supported by this build: asynchronous "
                        "invocations are not there yet\n");
        return CLI_USAGE;
    }
    struct buf payload, url;
    buf_init(&payload, PAYLOAD_READ_MAX);
    buf_init(&url, 4096);
    int code = CLI_USAGE;
    buf_printf(&url, "%s/2015-03-31/functions/", api);
    percent_encode(&url, a->argv[0]);
    buf_str(&url, "/invocations");
    if (qualifier != NULL) {
        buf_str(&url, "?Qualifier=");
        percent_encode(&url, qualifier);
    }
    if (event == NULL)
        buf_str(&payload, "{}");
    if (event == NULL || cli_read(event, PAYLOAD_READ_MAX, &payload))
        code = call(url.p, buf_slice(&payload), a->json);
    buf_free(&payload);
    buf_free(&url);
    return code;
}
