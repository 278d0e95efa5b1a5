/* aws_profile.c - finds settings in the AWS SDKs' shared configuration and credentials files. */
#include "io/aws_profile.h"

#include "base/mem.h"
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

/* "[profile  x]" is the section "profile x", however many blanks there are. */
static bool section_is(struct slice line, const char *section)
{
    const char *end = memchr(line.p, ']', line.n);
    if (!end)
        return false;
    struct slice have = slice_trim((struct slice){line.p + 1, (size_t)(end - line.p) - 1});
    struct slice want = slice_of(section);
    while (have.n && want.n && have.p[0] == want.p[0]) {
        bool gap = have.p[0] == ' ';
        have = slice_from(have, 1);
        want = slice_from(want, 1);
        while (gap && have.n && (have.p[0] == ' ' || have.p[0] == '\t'))
            have = slice_from(have, 1);
    }
    return have.n == 0 && want.n == 0;
}

static bool indented(struct slice line)
{
    return line.n && (line.p[0] == ' ' || line.p[0] == '\t');
}

struct slice aws_profile_find(struct slice text, const char *section, const char *key,
                              const char *sub)
{
    struct slice found = SLICE_NONE;
    bool inside = false, below = false; /* in the section; behind the key that has settings below */
    while (text.n) {
        struct slice line = slice_cut(&text, '\n');
        bool nested = indented(line);
        line = slice_trim(line);
        if (line.n == 0 || line.p[0] == '#' || line.p[0] == ';')
            continue;
        if (line.p[0] == '[' && !nested) {
            inside = section_is(line, section);
            below = false;
            continue;
        }
        if (!inside)
            continue;
        struct slice value = line;
        struct slice name = slice_trim(slice_cut(&value, '='));
        value = slice_trim(value);
        if (!nested)
            below = slice_is(name, key);
        if (nested ? sub && below && slice_is(name, sub) : !sub && below)
            found = value;
    }
    return found;
}

static bool has_section(struct slice text, const char *section)
{
    while (text.n) {
        struct slice line = slice_cut(&text, '\n');
        if (line.n && line.p[0] == '[' && section_is(line, section))
            return true;
    }
    return false;
}

/* The default profile is [default] in both files, and [profile default] is understood too. */
static void section_name(const struct aws_profile *p, bool config, char *out, size_t n)
{
    bool plain = !config || (strcmp(p->name, "default") == 0 &&
                             !has_section(buf_slice(&p->config), "profile default"));
    snprintf(out, n, "%s%s", plain ? "" : "profile ", p->name);
}

static bool read_file(const char *path, struct buf *to, struct error *err)
{
    FILE *f = fopen(path, "re");
    if (!f)
        return errno == ENOENT || errno == ENOTDIR ? true : error_sys(err, "cannot read %s", path);
    struct stat st; /* room at once: growing would leave copies of secrets behind */
    if (fstat(fileno(f), &st) == 0 && st.st_size > 0 && st.st_size <= AWS_PROFILE_FILE_MAX)
        buf_reserve(to, (size_t)st.st_size);
    char chunk[8192];
    size_t n;
    while ((n = fread(chunk, 1, sizeof chunk, f)) > 0)
        buf_add(to, chunk, n);
    bool ok = !ferror(f);
    if (!ok)
        error_sys(err, "cannot read %s", path);
    explicit_bzero(chunk, sizeof chunk);
    fclose(f);
    if (ok && to->full)
        return error_set(err, ERROR_LIMIT, "%s is larger than %d bytes", path,
                         AWS_PROFILE_FILE_MAX);
    return ok;
}

static bool read_shared(const char *variable, const char *in_home, struct buf *to,
                        struct error *err)
{
    const char *path = getenv(variable), *home = getenv("HOME");
    if (path && *path)
        return read_file(path, to, err);
    if (!home || !*home)
        return true;
    char *joined = mem_printf("%s/%s", home, in_home);
    bool ok = read_file(joined, to, err);
    free(joined);
    return ok;
}

bool aws_profile_load(struct aws_profile *p, struct error *err)
{
    const char *wanted = getenv("AWS_PROFILE");
    if (wanted && !*wanted)
        wanted = NULL;
    p->name = mem_strdup(wanted ? wanted : "default");
    buf_init(&p->config, AWS_PROFILE_FILE_MAX);
    buf_init(&p->credentials, AWS_PROFILE_FILE_MAX);
    bool ok = read_shared("AWS_CONFIG_FILE", ".aws/config", &p->config, err) &&
              read_shared("AWS_SHARED_CREDENTIALS_FILE", ".aws/credentials", &p->credentials, err);
    if (ok && wanted) {
        char section[256];
        section_name(p, true, section, sizeof section);
        ok = has_section(buf_slice(&p->config), section) ||
             has_section(buf_slice(&p->credentials), wanted) ||
             error_set(err, ERROR_CONFIG, "The config profile (%s) could not be found", wanted);
    }
    if (!ok)
        aws_profile_free(p);
    return ok;
}

static void wipe(struct buf *b)
{
    if (b->cap)
        explicit_bzero(b->p, b->cap);
    buf_free(b);
}

void aws_profile_free(struct aws_profile *p)
{
    wipe(&p->config);
    wipe(&p->credentials);
    free(p->name);
    p->name = NULL;
}

struct slice aws_profile_get(const struct aws_profile *p, const char *key)
{
    char section[256];
    section_name(p, false, section, sizeof section);
    struct slice found = aws_profile_find(buf_slice(&p->credentials), section, key, NULL);
    if (found.n)
        return found;
    section_name(p, true, section, sizeof section);
    return aws_profile_find(buf_slice(&p->config), section, key, NULL);
}

struct slice aws_profile_service(const struct aws_profile *p, const char *service, const char *key)
{
    struct slice services = aws_profile_get(p, "services");
    if (services.n == 0)
        return SLICE_NONE;
    char *section = mem_printf("services " SLICE_FMT, SLICE_ARG(services));
    struct slice found = aws_profile_find(buf_slice(&p->config), section, service, key);
    free(section);
    return found;
}
