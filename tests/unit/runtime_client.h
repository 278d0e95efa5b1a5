/* runtime_client.h - a scripted Runtime API client on raw sockets. The test binary starts itself
 * with it: what it does before the first event is in $MODE, what it does with an event is the
 * event's first word. */
#ifndef RUNTIME_CLIENT_H
#define RUNTIME_CLIENT_H

#include <arpa/inet.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#define CLIENT_ROOT "/2018-06-01/runtime/"

struct client {
    int fd;
    char id[64];      /* of the present event */
    char head[4096];  /* header block of the last /next */
    char event[8192]; /* its body, cut */
    int last;         /* status of the last POST */
};

static int client_connect(void)
{
    const char *api = getenv("AWS_LAMBDA_RUNTIME_API");
    struct sockaddr_in to = {.sin_family = AF_INET};
    const char *colon = strchr(api, ':');
    to.sin_port = htons((uint16_t)strtol(colon + 1, NULL, 10));
    to.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (fd < 0 || connect(fd, (struct sockaddr *)&to, sizeof to) != 0)
        _exit(99);
    return fd;
}

static void client_send(int fd, const char *p, size_t n)
{
    while (n > 0) {
        ssize_t sent = send(fd, p, n, MSG_NOSIGNAL);
        if (sent <= 0)
            _exit(98);
        p += sent;
        n -= (size_t)sent;
    }
}

/* Reads one answer; returns its status. */
static int client_receive(int fd, char *head, size_t head_size, char *body, size_t body_size)
{
    char buf[16384];
    size_t n = 0;
    char *end = NULL;
    while (end == NULL) {
        ssize_t got = recv(fd, buf + n, sizeof buf - 1 - n, 0);
        if (got <= 0)
            _exit(97);
        n += (size_t)got;
        buf[n] = '\0';
        end = strstr(buf, "\r\n\r\n");
    }
    *end = '\0';
    const char *length = strcasestr(buf, "\r\nContent-Length:");
    size_t want = length != NULL ? (size_t)strtol(length + 17, NULL, 10) : 0;
    size_t have = n - (size_t)(end + 4 - buf), kept = have < body_size ? have : body_size - 1;
    size_t head_n = (size_t)(end - buf) < head_size ? (size_t)(end - buf) : head_size - 1;
    memcpy(head, buf, head_n);
    head[head_n] = '\0';
    memcpy(body, end + 4, kept);
    while (have < want) {
        ssize_t got = recv(fd, buf, want - have < sizeof buf ? want - have : sizeof buf, 0);
        if (got <= 0)
            _exit(97);
        size_t room = body_size - 1 - kept, take = (size_t)got < room ? (size_t)got : room;
        memcpy(body + kept, buf, take);
        kept += take;
        have += (size_t)got;
    }
    body[kept] = '\0';
    return (int)strtol(head + 9, NULL, 10);
}

static void client_ask(int fd)
{
    static const char request[] = "GET " CLIENT_ROOT "invocation/next HTTP/1.1\r\nHost: x\r\n\r\n";
    client_send(fd, request, sizeof request - 1);
}

static int client_read_event(struct client *c, int fd)
{
    int status = client_receive(fd, c->head, sizeof c->head, c->event, sizeof c->event);
    const char *id = strcasestr(c->head, "Lambda-Runtime-Aws-Request-Id: ");
    c->id[0] = '\0';
    if (id != NULL)
        sscanf(id + 31, "%63[^\r]", c->id);
    return status;
}

static int client_next(struct client *c)
{
    client_ask(c->fd);
    return client_read_event(c, c->fd);
}

static int client_call(struct client *c, int fd, const char *method, const char *path,
                       const char *headers, const char *body, size_t n)
{
    char head[1024], got_head[4096], got[4096];
    int len =
        snprintf(head, sizeof head, "%s %s HTTP/1.1\r\nHost: x\r\n%sContent-Length: %zu\r\n\r\n",
                 method, path, headers, n);
    client_send(fd, head, (size_t)len);
    client_send(fd, body, n);
    c->last = client_receive(fd, got_head, sizeof got_head, got, sizeof got);
    return c->last;
}

static int client_post(struct client *c, const char *id, const char *what, const char *headers,
                       const char *body)
{
    char path[200];
    snprintf(path, sizeof path, CLIENT_ROOT "invocation/%s/%s", id, what);
    return client_call(c, c->fd, "POST", path, headers, body, strlen(body));
}

static int client_answer(struct client *c, const char *body)
{
    return client_post(c, c->id, "response", "", body);
}

static bool client_is(const struct client *c, const char *word)
{
    size_t n = strlen(word);
    return strncmp(c->event, word, n) == 0 && (c->event[n] == '\0' || c->event[n] == ' ');
}

static int client_init_error(struct client *c, const char *body)
{
    return client_call(c, c->fd, "POST", CLIENT_ROOT "init/error", "", body, strlen(body));
}

/* Forks a child that outlives us if nobody kills the group; its pid is the answer. */
static void client_grandchild(struct client *c)
{
    char text[32];
    pid_t pid = fork();
    if (pid == 0) {
        for (;;)
            pause();
    }
    snprintf(text, sizeof text, "%d", (int)pid);
    client_answer(c, text);
}

static void client_too_large(struct client *c)
{
    size_t n = (size_t)7 * 1024 * 1024;
    char *big = malloc(n), path[200], text[64];
    memset(big, 'x', n);
    snprintf(path, sizeof path, CLIENT_ROOT "invocation/%s/response", c->id);
    int first = client_call(c, c->fd, "POST", path, "", big, n);
    free(big);
    int second = client_post(c, c->id, "error", "", "{\"errorType\":\"X\"}");
    client_next(c);
    snprintf(text, sizeof text, "%d %d", first, second);
    client_answer(c, text);
}

static void client_stream_error(struct client *c, const char *encoded)
{
    char request[1024], head[4096], body[1024];
    int n = snprintf(request, sizeof request,
                     "POST " CLIENT_ROOT "invocation/%s/response HTTP/1.1\r\nHost: x\r\n"
                     "Lambda-Runtime-Function-Response-Mode: streaming\r\n"
                     "Transfer-Encoding: chunked\r\n"
                     "Trailer: Lambda-Runtime-Function-Error-Type\r\n"
                     "Trailer: Lambda-Runtime-Function-Error-Body\r\n\r\n"
                     "5\r\nhello\r\n0\r\n"
                     "Lambda-Runtime-Function-Error-Type: TypeError\r\n"
                     "Lambda-Runtime-Function-Error-Body: %s\r\n\r\n",
                     c->id, encoded);
    client_send(c->fd, request, (size_t)n);
    c->last = client_receive(c->fd, head, sizeof head, body, sizeof body);
}

static void client_half(struct client *c)
{
    char request[512];
    int n = snprintf(request, sizeof request,
                     "POST " CLIENT_ROOT "invocation/%s/response HTTP/1.1\r\nHost: x\r\n"
                     "Content-Length: 1000\r\n\r\nhalf a bo",
                     c->id);
    client_send(c->fd, request, (size_t)n);
    _exit(5);
}

/* The whole answer, and away without waiting for ours. */
static void client_last_words(struct client *c)
{
    char request[512];
    int n = snprintf(request, sizeof request,
                     "POST " CLIENT_ROOT "invocation/%s/response HTTP/1.1\r\nHost: x\r\n"
                     "Content-Length: 7\r\n\r\ngoodbye",
                     c->id);
    client_send(c->fd, request, (size_t)n);
    _exit(6);
}

static void client_flood(struct client *c)
{
    char line[1001];
    memset(line, 'f', sizeof line);
    line[1000] = '\n';
    for (int i = 0; i < 20000; i++)
        fwrite(line, 1, sizeof line, stdout);
    fflush(stdout);
    client_answer(c, "flooded");
}

static void client_environment(struct client *c)
{
    char text[16384] = "";
    size_t n = 0;
    for (char **e = environ; *e != NULL && n < sizeof text - 1; e++)
        n += (size_t)snprintf(text + n, sizeof text - n, "%s\n", *e);
    client_answer(c, text);
}

/* Statuses of requests that must be refused, in a row. */
static void client_refusals(struct client *c)
{
    char text[200], path[200];
    int got[8];
    int fd = client_connect();
    snprintf(path, sizeof path, CLIENT_ROOT "invocation/%s/response", c->id);
    got[0] = client_call(c, fd, "POST", CLIENT_ROOT "invocation/nobody/response", "", "x", 1);
    got[1] = client_call(c, fd, "POST", path, "Lambda-Runtime-Invocation-Id: other\r\n", "x", 1);
    got[2] = client_call(c, fd, "POST", path, "Lambda-Runtime-Function-Response-Mode: buffered\r\n",
                         "x", 1);
    got[3] = client_call(c, fd, "POST", "/2020-01-01/extension/register", "", "x", 1);
    got[4] = client_call(c, fd, "GET", CLIENT_ROOT "restore/next", "", "", 0);
    got[5] = client_call(c, fd, "DELETE", CLIENT_ROOT "invocation/next", "", "", 0);
    got[6] = client_init_error(c, "{}");
    got[7] = client_call(c, fd, "POST", CLIENT_ROOT "invocation/x/nothing", "", "", 0);
    snprintf(text, sizeof text, "%d %d %d %d %d %d %d %d", got[0], got[1], got[2], got[3], got[4],
             got[5], got[6], got[7]);
    client_answer(c, text);
    close(fd);
}

/* What a well-behaved client does not do. */
static void client_misbehave(struct client *c)
{
    if (client_is(c, "half")) {
        client_half(c);
    } else if (client_is(c, "words")) {
        client_last_words(c);
    } else if (client_is(c, "large")) {
        client_too_large(c);
    } else if (client_is(c, "stream")) {
        client_stream_error(c, "eyJlcnJvclR5cGUiOiJUeXBlRXJyb3IiLCJlcnJvck1lc3NhZ2UiOiJicm9rZSJ9");
    } else if (client_is(c, "stream-bad")) {
        client_stream_error(c, "~~~");
    } else if (client_is(c, "empty")) {
        client_post(c, c->id, "error", "", "");
    } else if (client_is(c, "long")) {
        for (int i = 0; i < 5000; i++)
            putchar('a' + i % 26);
        putchar('\n');
        fflush(stdout);
        client_answer(c, "long");
    } else if (client_is(c, "exit")) {
        _exit((int)strtol(c->event + 5, NULL, 10));
    } else if (client_is(c, "kill")) {
        raise(SIGKILL);
    } else if (client_is(c, "hang")) {
        for (;;)
            pause();
    } else if (client_is(c, "silent")) {
        client_answer(c, "done");
        for (;;)
            pause();
    } else if (client_is(c, "flood")) {
        client_flood(c);
    } else if (client_is(c, "print")) {
        printf("first line\nsecond line\n");
        fflush(stdout);
        client_answer(c, "printed");
    } else if (client_is(c, "grandchild")) {
        client_grandchild(c);
    } else {
        client_answer(c, c->event);
    }
}

static void client_event(struct client *c)
{
    char text[64];
    if (client_is(c, "pid")) {
        snprintf(text, sizeof text, "%d", (int)getpid());
        client_answer(c, text);
    } else if (client_is(c, "headers")) {
        client_answer(c, c->head);
    } else if (client_is(c, "environment")) {
        client_environment(c);
    } else if (client_is(c, "error")) {
        client_post(c, c->id, "error", "Lambda-Runtime-Function-Error-Type: unhandled\r\n",
                    "{\"errorMessage\":\"no\",\"errorType\":\"Bad\"}");
    } else if (client_is(c, "untyped")) {
        client_post(c, c->id, "error", "Lambda-Runtime-Function-Error-Type: Runtime.Odd\r\n",
                    "{\"errorMessage\":\"no\"}");
    } else if (client_is(c, "twice")) {
        client_answer(c, "once");
        client_answer(c, "twice");
    } else if (client_is(c, "last")) {
        snprintf(text, sizeof text, "%d", c->last);
        client_answer(c, text);
    } else if (client_is(c, "refusals")) {
        client_refusals(c);
    } else {
        client_misbehave(c);
    }
}

/* Three /next at once on one process, each answered with the process id when all are here. */
static void client_several(struct client *c)
{
    struct client slots[3] = {0};
    char text[32];
    bool hang = false;
    for (int i = 0; i < 3; i++) {
        slots[i].fd = client_connect();
        client_ask(slots[i].fd);
    }
    for (int i = 0; i < 3; i++) {
        client_read_event(&slots[i], slots[i].fd);
        hang = hang || client_is(&slots[i], "hang");
    }
    while (hang)
        pause();
    snprintf(text, sizeof text, "%d", (int)getpid());
    for (int i = 0; i < 3; i++)
        client_answer(&slots[i], text);
    (void)c;
    for (;;)
        pause();
}

static int client_main(void)
{
    static struct client c;
    const char *mode = getenv("MODE") != NULL ? getenv("MODE") : "";
    if (strcmp(mode, "stubborn") == 0)
        signal(SIGTERM, SIG_IGN);
    if (strcmp(mode, "init-exit") == 0)
        _exit(7);
    if (strcmp(mode, "init-hang") == 0)
        for (;;)
            pause();
    if (strcmp(mode, "init-hang-once") == 0) {
        int fd = open(getenv("MARK"), O_CREAT | O_EXCL | O_WRONLY, 0600);
        while (fd >= 0)
            pause();
    }
    c.fd = client_connect();
    if (strcmp(mode, "init-error") == 0) {
        client_init_error(&c, "{\"errorMessage\":\"no module\",\"errorType\":"
                              "\"Runtime.ImportModuleError\",\"stackTrace\":[]}");
        _exit(1);
    }
    if (strcmp(mode, "early-response") == 0)
        client_post(&c, "nobody", "response", "", "x");
    if (strcmp(mode, "several") == 0)
        client_several(&c);
    while (client_next(&c) == 200)
        client_event(&c);
    _exit(96);
}

#endif
