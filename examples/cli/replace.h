/* Files that are replaced whole. */
#ifndef CLI_REPLACE_H
#define CLI_REPLACE_H

#include <stdbool.h>
#include <stddef.h>

/** The bytes become the file at `path`: written beside it, brought to the disk, and renamed, so that it has what it had
 *  or all of the new, whenever the process or the machine stops. False, with errno: it has what it had. What is there
 *  and no plain file is left alone; a symbolic link is replaced. */
bool cli_replace_file(const char *path, const char *data, size_t len);

#endif
