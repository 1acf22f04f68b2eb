/* Settings of files as JSON that can be shown anywhere. */
#ifndef HLMI_API_FILE_VALUE_H
#define HLMI_API_FILE_VALUE_H

#include "base/buf.h"
#include "weights/store.h"

/** The value of a metadata key, and of JSON; of arrays at most max_items (0: all). */
void hlmi_value_of_kv(hlmi_buf *b, const hlmi_kv *kv, size_t max_items);
void hlmi_value_of_json(hlmi_buf *b, const hlmi_json *v, size_t max_items);

#endif
