/* runtime_check.c - refuses what cannot run before anything is started, and names the remedy. */
#include "sinks/runtime.h"

#include "base/buf.h"
#include "base/mem.h"
#include <ctype.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

const char *runtime_variable(const struct function_settings *f, const char *name)
{
    for (size_t i = 0; f != NULL && i < f->environment.n; i++)
        if (strcmp(f->environment.names[i], name) == 0)
            return f->environment.values[i];
    return NULL;
}

static bool is_script(const char *file)
{
    char head[2] = "";
    FILE *f = fopen(file, "re");
    if (f == NULL)
        return false;
    bool script = fread(head, 1, 2, f) == 2 && head[0] == '#' && head[1] == '!';
    fclose(f);
    return script;
}

static bool is_program(const char *file)
{
    struct stat st;
    return stat(file, &st) == 0 && S_ISREG(st.st_mode) && access(file, X_OK) == 0;
}

char *runtime_find_program(const char *name, const char *path, bool binary)
{
    struct slice rest = slice_of(path != NULL ? path : "/usr/local/bin:/usr/bin:/bin");
    while (rest.n > 0) {
        struct slice dir = slice_cut(&rest, ':');
        if (dir.n == 0 || dir.n > PATH_MAX)
            continue;
        char *file = mem_printf(SLICE_FMT "/%s", SLICE_ARG(dir), name);
        /* Version managers put scripts into PATH for versions that are not active. */
        if (is_program(file) && !(binary && is_script(file)))
            return file;
        free(file);
    }
    return NULL;
}

static bool digits(const char *s)
{
    if (!isdigit((unsigned char)*s))
        return false;
    while (isdigit((unsigned char)*s))
        s++;
    return *s == '\0';
}

static bool nodejs(const char *name)
{
    if (strncmp(name, "nodejs", 6) != 0)
        return false;
    const char *at = name + 6;
    while (isdigit((unsigned char)*at))
        at++;
    return at > name + 6 && (*at == '\0' || strcmp(at, ".x") == 0);
}

static bool kind_of(struct runtime *r, struct error *err)
{
    if (r->command.n > 0 && r->name != NULL)
        return error_set(err, ERROR_CONFIG,
                         "Runtime and Command are both given: a function has one of them");
    if (r->command.n > 0) {
        r->kind = RUNTIME_COMMAND;
        return true;
    }
    if (r->name == NULL)
        return error_set(err, ERROR_CONFIG, "Runtime or Command must be given");
    if (strcmp(r->name, "provided") == 0 || strcmp(r->name, "provided.al2") == 0 ||
        strcmp(r->name, "provided.al2023") == 0)
        r->kind = RUNTIME_PROVIDED;
    else if (strncmp(r->name, "python3.", 8) == 0 && digits(r->name + 8))
        r->kind = RUNTIME_PYTHON;
    else if (nodejs(r->name))
        r->kind = RUNTIME_NODE;
    else
        return error_set(err, ERROR_CONFIG,
                         "Runtime: \"%.60s\" cannot be run; possible are provided, provided.al2, "
                         "provided.al2023, python3.* and nodejs*.x; any other client of the "
                         "Runtime API is started with Command",
                         r->name);
    return true;
}

static bool check_handler(const struct runtime *r, struct error *err)
{
    if (r->kind != RUNTIME_PYTHON && r->kind != RUNTIME_NODE)
        return true;
    if (r->handler == NULL)
        return error_set(err, ERROR_CONFIG, "Handler is required for Runtime %s: FILE.FUNCTION",
                         r->name);
    const char *base = strrchr(r->handler, '/');
    base = base != NULL ? base + 1 : r->handler;
    const char *dot = strchr(base, '.');
    if (dot == NULL || dot == base || dot[1] == '\0')
        return error_set(err, ERROR_CONFIG,
                         "Handler: \"%.100s\" must be FILE.FUNCTION, such as app.handler",
                         r->handler);
    return true;
}

static bool check_root(const char *dir, struct error *err)
{
    struct stat st;
    if (stat(dir, &st) != 0)
        return error_set(err, ERROR_CONFIG,
                         "CodeUri: there is no directory %.300s; create it or correct CodeUri",
                         dir);
    if (!S_ISDIR(st.st_mode))
        return error_set(err, ERROR_CONFIG,
                         "CodeUri: %.300s is not a directory; unpack the code there first", dir);
    return true;
}

static bool check_bootstrap(const char *dir, struct error *err)
{
    struct stat st;
    char *file = mem_printf("%s/bootstrap", dir);
    bool ok = true;
    if (stat(file, &st) != 0 || !S_ISREG(st.st_mode))
        ok = error_set(err, ERROR_CONFIG,
                       "CodeUri: there is no file %.300s; build the function's program under that "
                       "name or correct CodeUri",
                       file);
    else if (access(file, X_OK) != 0)
        ok = error_set(err, ERROR_CONFIG, "CodeUri: %.200s is not executable; chmod +x %.200s",
                       file, file);
    free(file);
    return ok;
}

static bool check_program(const struct runtime *r, const char *name, struct error *err)
{
    const char *path = runtime_variable(r->sink.function, "PATH");
    char *found = runtime_find_program(name, path != NULL ? path : getenv("PATH"), false);
    free(found);
    if (found != NULL)
        return true;
    return error_set(err, ERROR_CONFIG, "%s: there is no program %.100s in PATH; install it%s",
                     r->name != NULL ? "Runtime" : "Command", name,
                     r->name != NULL ? " or start another one with Command" : " or give its path");
}

static bool check_command(const struct runtime *r, struct error *err)
{
    const char *program = r->command.v[0];
    if (program[0] == '\0')
        return error_set(err, ERROR_CONFIG, "Command: the program is empty");
    if (strchr(program, '/') == NULL)
        return check_program(r, program, err);
    char *file =
        program[0] == '/' ? mem_strdup(program) : mem_printf("%s/%s", r->code_uri, program);
    bool ok = is_program(file);
    if (!ok)
        error_set(err, ERROR_CONFIG, "Command: %.300s is not there or not executable", file);
    free(file);
    return ok;
}

static bool valid_name(const char *name)
{
    if (!isalpha((unsigned char)name[0]))
        return false;
    for (const char *at = name; *at != '\0'; at++)
        if (!isalnum((unsigned char)*at) && *at != '_')
            return false;
    return true;
}

static bool check_environment(const struct function_settings *f, struct error *err)
{
    struct buf keys;
    buf_init(&keys, 300);
    for (size_t i = 0; f != NULL && i < f->environment.n; i++) {
        const char *name = f->environment.names[i];
        if (runtime_env_reserved(name))
            buf_printf(&keys, "%s%s", keys.n > 0 ? ", " : "", name);
        else if (!valid_name(name)) {
            buf_free(&keys);
            return error_set(err, ERROR_CONFIG,
                             "Environment.Variables: \"%.100s\" is not a name: letters, digits and "
                             "underscores, a letter first",
                             name);
        }
    }
    bool ok = keys.n == 0;
    if (!ok)
        error_set(err, ERROR_CONFIG,
                  "Lambda was unable to configure your environment variables because the "
                  "environment variables you have provided contains reserved keys that are "
                  "currently not supported for modification. Reserved keys used in this request: "
                  "%s",
                  keys.p);
    buf_free(&keys);
    return ok;
}

bool runtime_check(struct runtime *r, struct error *err)
{
    if (r->code_uri == NULL)
        r->code_uri = ".";
    if (!kind_of(r, err) || !check_handler(r, err) || !check_environment(r->sink.function, err) ||
        !check_root(r->code_uri, err))
        return false;
    switch (r->kind) {
    case RUNTIME_PROVIDED:
        return check_bootstrap(r->code_uri, err);
    case RUNTIME_PYTHON:
        return check_program(r, "python3", err);
    case RUNTIME_NODE:
        return check_program(r, "node", err);
    case RUNTIME_COMMAND:
        break;
    }
    return check_command(r, err);
}
