/* The sizes that each struct of the API has had: what struct_size can be. */
#ifndef HLMI_BASE_STRUCTS_H
#define HLMI_BASE_STRUCTS_H

#include <stddef.h>

enum { HLMI_VERSIONS_MAX = 8 };

typedef struct hlmi_struct {
    const char *name;
    size_t sizes[HLMI_VERSIONS_MAX]; /* ascending, the last one today's; 0 behind it */
} hlmi_struct;

/** All that begin with struct_size, ended by a name NULL. */
extern const hlmi_struct hlmi_structs[];

/** Has a version of the struct been of this size? */
int hlmi_struct_had(const char *name, size_t size);

#endif
