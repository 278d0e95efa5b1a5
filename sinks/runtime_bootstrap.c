/* runtime_bootstrap.c - the bootstraps for Python and Node.js, carried inside the binary. */
#include "sinks/runtime.h"

/* The assembler copies the files in (paths from the root of the tree); mk/embed.mk names them as
 * what this object depends on. */
#define EMBED(symbol, file)                                                                        \
    __asm__(".pushsection .rodata\n"                                                               \
            ".global " #symbol "\n" #symbol ":\n"                                                  \
            ".incbin \"" file "\"\n"                                                               \
            ".global " #symbol "_end\n" #symbol "_end:\n"                                          \
            ".popsection\n");                                                                      \
    extern const char symbol[] __attribute__((visibility("hidden")));                              \
    extern const char symbol##_end[] __attribute__((visibility("hidden")))

EMBED(runtime_bootstrap_python, "sinks/bootstrap/python.py");
EMBED(runtime_bootstrap_node, "sinks/bootstrap/node.js");

static struct slice between(const char *from, const char *to)
{
    return (struct slice){from, (size_t)((uintptr_t)to - (uintptr_t)from)};
}

struct slice runtime_bootstrap(enum runtime_kind kind)
{
    if (kind == RUNTIME_PYTHON)
        return between(runtime_bootstrap_python, runtime_bootstrap_python_end);
    if (kind == RUNTIME_NODE)
        return between(runtime_bootstrap_node, runtime_bootstrap_node_end);
    return SLICE_NONE;
}
