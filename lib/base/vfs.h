/* Files as the engine sees them: the caller's hlm_vfs or the system's, mapped or read. A source is one open file. */
#ifndef HLMI_BASE_VFS_H
#define HLMI_BASE_VFS_H

#include <stdbool.h>

#include "base/looks.h"
#include "base/mem.h"
#include "base/os.h"

typedef struct hlmi_vfs {
    hlm_vfs fns; /* the caller's */
    bool system; /* none: the system's files, whose pages can be given back */
    bool may_map; /* false: HLM_LOAD_READ */
} hlmi_vfs;

/** caller NULL: the system's files. HLM_E_ARG when a function but map is missing. */
hlm_status hlmi_vfs_from(hlmi_vfs *vfs, const hlm_vfs *caller, bool may_map);

typedef struct hlmi_source {
    hlmi_vfs vfs;
    hlmi_mem mem;
    void *file; /* the caller's, or */
    hlmi_os_file *system_file;
    int32_t opened; /* what open returned */
    char *path;
    uint64_t size;
    const uint8_t *map; /* NULL: read with hlmi_source_read */
} hlmi_source;

/** HLM_E_IO with the path and the reason, for what hlmi_os_open returned. */
hlm_status hlmi_fail_open(const char *path, int rc);
/** HLM_E_IO names the path and the reason. *missing (may be NULL) tells "no such file" from other failures, s->opened
 *  what the vfs returned. */
hlm_status hlmi_source_open(hlmi_source *s, const hlmi_mem *mem, const hlmi_vfs *vfs, const char *path, bool *missing);
/** n bytes at offset, inside the file or HLM_E_FORMAT. Writes them to buf when the file is not mapped (and then *data
 *  is buf), else points into the map. */
hlm_status hlmi_source_read(const hlmi_source *s, uint64_t offset, size_t n, void *buf, const uint8_t **data);
/** What it looks like by its first bytes; like nothing known when these can not be read, which the status tells. */
hlm_status hlmi_source_looks(const hlmi_source *s, hlmi_looks *looks);
/** The whole file as one allocation with a 0 behind it, at most max bytes. When it may not be `any`, without a UTF-8
 *  byte order mark, and HLM_E_FORMAT also for what no model has under any name (HLMI_LOOK_FOREIGN). */
hlm_status hlmi_source_slurp(const hlmi_mem *mem, const hlmi_vfs *vfs, const char *path, size_t max, bool any,
                             char **data, size_t *len, bool *missing);
/** Give the pages of a mapped range back to the system; does nothing otherwise. */
void hlmi_source_drop(const hlmi_source *s, uint64_t offset, size_t n);
/** NULL-safe on a zeroed source. */
void hlmi_source_close(hlmi_source *s);

#endif
