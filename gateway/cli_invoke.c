/* cli_invoke.c - `penstock invoke`: one invocation against a running gateway. */
#include "base/base64.h"
#include "base/json_in.h"
#include "base/json_out.h"
#include "engine/sink.h"
#include "gateway/cli.h"
#include "gateway/cli_call.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { PAYLOAD_READ_MAX = PAYLOAD_MAX_BYTES + 1, CALL_MS = 960 * 1000 };

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

static int tell(const struct http_call *c, bool json)
{
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

static int call(const char *api, const char *path, const char *query, struct slice payload,
                bool json)
{
    static const char *const headers[] = {"Content-Type: application/json",
                                          "X-Amz-Invocation-Type: RequestResponse"};
    const struct cli_request request = {.method = "POST",
                                        .path = path,
                                        .query = query,
                                        .service = "lambda",
                                        .headers = headers,
                                        .n_headers = ARRAY_LEN(headers),
                                        .body = payload,
                                        .timeout_ms = CALL_MS,
                                        .max_response_bytes = RESPONSE_MAX_BYTES};
    struct cli_peer *peer = cli_peer_new("invoke", api);
    struct http_call answer;
    int code = CLI_UNREACHABLE;
    if (peer == NULL)
        return code;
    if (cli_call(peer, &request, &answer))
        code = tell(&answer, json);
    http_call_clear(&answer);
    cli_peer_free(peer);
    return code;
}

int cli_invoke(struct cli_args *a)
{
    const char *api = cli_option(a, NULL, "--api", CLI_API);
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
    struct buf payload, path, query;
    buf_init(&payload, PAYLOAD_READ_MAX);
    buf_init(&path, 4096);
    buf_init(&query, 4096);
    int code = CLI_USAGE;
    buf_str(&path, "/2015-03-31/functions/");
    cli_percent_encode(&path, a->argv[0]);
    buf_str(&path, "/invocations");
    buf_str(&query, "Qualifier=");
    if (qualifier != NULL)
        cli_percent_encode(&query, qualifier);
    if (event == NULL)
        buf_str(&payload, "{}");
    if (event == NULL || cli_read(event, PAYLOAD_READ_MAX, &payload))
        code = call(api, path.p, qualifier != NULL ? query.p : NULL, buf_slice(&payload), a->json);
    buf_free(&payload);
    buf_free(&path);
    buf_free(&query);
    return code;
}
