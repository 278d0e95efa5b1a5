/* text_file.h - a whole small file in memory. */
#ifndef CONFIG_TEXT_FILE_H
#define CONFIG_TEXT_FILE_H

#include "base/buf.h"
#include "base/error.h"

/* Appends the file's bytes to out, at most out's limit. *err does not name the file. */
bool text_file_read(const char *path, struct buf *out, struct error *err) MUST_CHECK;

#endif
