/* Zip files whose members are stored as they are, as PyTorch writes them: where in the file each member is. */
#ifndef HLMI_WEIGHTS_ZIP_H
#define HLMI_WEIGHTS_ZIP_H

#include "base/vfs.h"
#include "weights/index.h"

typedef struct hlmi_zip_member {
    const char *name;
    uint64_t at, bytes;
} hlmi_zip_member;

typedef struct hlmi_zip {
    hlmi_mem mem;
    hlmi_zip_member *members;
    size_t n;
    hlmi_index by_name;
    char *names;
} hlmi_zip;

/** Of an open file, which stays the caller's. HLM_E_FORMAT and HLM_E_UNSUPPORTED (a member is compressed or encrypted).
 *  To be freed also after a failure. */
hlm_status hlmi_zip_read(hlmi_zip *z, const hlmi_mem *mem, const hlmi_source *file);
/** NULL when there is none of that name. */
const hlmi_zip_member *hlmi_zip_find(const hlmi_zip *z, const char *name);
void hlmi_zip_free(hlmi_zip *z);

#endif
