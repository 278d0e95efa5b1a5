/* log.h - one line per fact on stderr, as logfmt or JSON: ts, level, scope fields, msg.
 * Loop thread and store thread may both log (a lock inside). Lines below WARN wait in a buffer
 * until log_flush, WARN, or 32 KB; the loop flushes before it sleeps. Control
 * characters are escaped, a line is cut at 16 KB. Never pass a secret here. */
#ifndef BASE_LOG_H
#define BASE_LOG_H

#include "base/slice.h"

enum log_level { LOG_DEBUG, LOG_INFO, LOG_WARN, LOG_ERROR };
enum log_format { LOG_LOGFMT, LOG_JSON };

/* Who speaks: becomes `kind=name` on the line, e.g. mapping=orders/Queue. NULL scope: no field. */
struct log_scope {
    const char *kind, *name;
};

void log_setup(enum log_level least, enum log_format);
bool log_enabled(enum log_level);
void log_write(enum log_level, const struct log_scope *, const char *fmt, ...) PRINTF(3, 4);
/* One line that a function printed, or a START/END/REPORT line: fields function, requestId, stream
 * ("stdout", "stderr", "platform"), msg = the line as it is. request_id may be empty. */
void log_function(const char *function, struct slice request_id, const char *stream,
                  struct slice line);

void log_flush(void);

#define log_debug(...) log_write(LOG_DEBUG, __VA_ARGS__)
#define log_info(...)  log_write(LOG_INFO, __VA_ARGS__)
#define log_warn(...)  log_write(LOG_WARN, __VA_ARGS__)
#define log_error(...) log_write(LOG_ERROR, __VA_ARGS__)

#endif
