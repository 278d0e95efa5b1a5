/* load.c - a configuration file to a catalog: whole, or with every reason why not. */
#include "config/load.h"

#include "base/mem.h"
#include "config/expand.h"
#include "config/names.h"
#include "config/text_file.h"
#include <limits.h>
#include <stdlib.h>
#include <string.h>

const char *const load_sections[] = {"Gateway", "Services", "Queues", "Functions", NULL};

bool load_is_name(struct slice s)
{
    for (size_t i = 0; i < s.n; i++) {
        char c = s.p[i];
        if ((c < 'a' || c > 'z') && (c < 'A' || c > 'Z') && (c < '0' || c > '9') && c != '-' &&
            c != '_')
            return false;
    }
    return s.n > 0 && s.n <= 64;
}

char *load_keep_text(struct load *load, struct buf *out)
{
    char *text = arena_dup(&load->catalog->arena, buf_slice(out));
    buf_free(out);
    return text;
}

void load_report_check(struct load *load, const struct yaml_node *node,
                       const struct yaml_node *members, const struct error *err)
{
    struct slice text = slice_of(err->text);
    const char *colon = strstr(err->text, ": ");
    size_t n = colon != NULL ? (size_t)(colon - err->text) : 0;
    const char *name = arena_dup(&load->catalog->arena, (struct slice){text.p, n});
    const struct yaml_node *at = n > 0 ? yaml_find(members, name) : NULL;
    if (at != NULL)
        yaml_problem(&load->problems, at, NULL, "%s", colon + 2);
    else
        yaml_problem(&load->problems, node, NULL, "%s", err->text);
}

static const char *section_refusal(const void *ctx, struct slice name, struct arena *arena)
{
    (void)ctx;
    if (option_by_name(gateway_options, name.p) != NULL)
        return arena_printf(arena, "%s belongs below Gateway", name.p);
    return names_refusal(NAMES_FILE, name, arena);
}

/* A section that is written but empty ("Services:") is the same as one that is not there. */
static const struct yaml_node *section(struct load *load, const struct yaml_node *root,
                                       const char *name)
{
    const struct yaml_node *node = yaml_find(root, name);
    if (node == NULL || (node->null && !node->bad) || !yaml_is_mapping(&load->problems, node))
        return NULL;
    return node;
}

static void load_root(struct load *load, const struct yaml_node *root)
{
    static const struct option *const no_tables[] = {NULL};
    const struct option_members members = {
        .tables = no_tables, .others = load_sections, .refusal = section_refusal};
    if (!yaml_is_mapping(&load->problems, root))
        return;
    (void)option_check_members(&load->options, &members, root);
    load_gateway(load, section(load, root, "Gateway"));
    load_services(load, section(load, root, "Services"));
    load_queues(load, section(load, root, "Queues"));
    if (yaml_find(root, "Functions") == NULL && yaml_find(root, "Queues") == NULL)
        yaml_problem(&load->problems, root, "Functions",
                     "is required: name at least one function, or write Functions: {}");
    load_functions(load, section(load, root, "Functions"));
}

static const char *environment(const char *name)
{
    return getenv(name);
}

struct catalog *load_text(const char *path, const char *base_dir, struct slice text, bool no_files,
                          struct catalog_errors *errors)
{
    struct catalog *catalog = mem_alloc(sizeof *catalog);
    arena_init(&catalog->arena);
    struct load load = {.catalog = catalog};
    problem_init(&load.problems, path);
    problem_init(&load.warnings, path);
    map_init(&load.queues);
    load.options = (struct option_context){.arena = &catalog->arena,
                                           .problems = &load.problems,
                                           .base_dir = base_dir,
                                           .no_files = no_files};
    struct yaml_node *root = yaml_read(text, &catalog->arena, &load.problems);
    if (root != NULL) {
        expand_tree(root, environment, &catalog->arena, &load.problems);
        load_root(&load, root);
    }
    problem_report(&load.warnings, &catalog->warnings);
    problem_free(&load.warnings);
    if (load.problems.total > 0) {
        catalog_free(catalog);
        catalog = NULL;
    }
    problem_report(&load.problems, errors);
    problem_free(&load.problems);
    map_free(&load.queues);
    return catalog;
}

static bool report_file(const char *path, const char *why, struct catalog_errors *errors)
{
    struct problems problems;
    problem_init(&problems, path);
    problem_add(&problems, 0, "", "%s", why);
    problem_report(&problems, errors);
    problem_free(&problems);
    return false;
}

/* The directory that holds path, absolute. */
static bool directory_of(const char *path, char out[PATH_MAX], struct error *err)
{
    const char *slash = strrchr(path, '/');
    char *dir = slash == NULL ? mem_strdup(".")
                              : slice_dup((struct slice){path, (size_t)(slash - path) + 1});
    bool ok = realpath(dir, out) != NULL || error_sys(err, "cannot find %s", dir);
    free(dir);
    return ok;
}

struct catalog *catalog_load(const char *path, struct catalog_errors *errors)
{
    char base_dir[PATH_MAX];
    struct error err = {.code = ERROR_NONE};
    struct buf text;
    struct catalog *catalog = NULL;
    *errors = (struct catalog_errors){.n = 0};
    buf_init(&text, YAML_MAX_BYTES);
    if (!text_file_read(path, &text, &err) || !directory_of(path, base_dir, &err))
        (void)report_file(path, err.text, errors);
    else
        catalog = load_text(path, base_dir, buf_slice(&text), false, errors);
    buf_free(&text);
    return catalog;
}

void catalog_free(struct catalog *catalog)
{
    if (catalog == NULL)
        return;
    catalog_errors_free(&catalog->warnings);
    arena_free(&catalog->arena);
    free(catalog);
}

void catalog_errors_free(struct catalog_errors *errors)
{
    for (size_t i = 0; i < errors->n; i++) {
        free(errors->lines[i]);
        free(errors->excerpts[i]);
    }
    free(errors->lines);
    free(errors->excerpts);
    *errors = (struct catalog_errors){.n = 0};
}
