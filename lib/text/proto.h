/* Protocol Buffers' wire format, read field by field: what SentencePiece models are written in. Nothing is copied, and
 * no nesting is followed but by the caller, who reads a field's bytes as a message again. */
#ifndef HLMI_TEXT_PROTO_H
#define HLMI_TEXT_PROTO_H

#include <stdbool.h>

#include "text/tokenizer.h"

/** What is left of a message. */
typedef struct hlmi_proto {
    const char *p, *end;
} hlmi_proto;

typedef enum hlmi_wire { HLMI_WIRE_VARINT = 0, HLMI_WIRE_64 = 1, HLMI_WIRE_BYTES = 2, HLMI_WIRE_32 = 5 } hlmi_wire;

typedef struct hlmi_proto_field {
    uint32_t number; /* 1 ... 2^29 - 1 */
    hlmi_wire wire;
    uint64_t value; /* of the numeric types */
    hlmi_str bytes; /* of HLMI_WIRE_BYTES */
} hlmi_proto_field;

/** Takes the next field; *more is false at the end of the message, and *f then untouched.
 *  Errors  HLM_E_FORMAT: a field that does not end within the message, number 0, an unknown wire type. */
hlm_status hlmi_proto_next(hlmi_proto *m, hlmi_proto_field *f, bool *more);

/** The field's value, for fields that are known to have this type. HLM_E_FORMAT when it has another; `what` names
 *  it. */
hlm_status hlmi_proto_bytes(const hlmi_proto_field *f, const char *what, hlmi_str *out);
hlm_status hlmi_proto_bool(const hlmi_proto_field *f, const char *what, bool *out);
hlm_status hlmi_proto_i32(const hlmi_proto_field *f, const char *what, int32_t *out);
hlm_status hlmi_proto_f32(const hlmi_proto_field *f, const char *what, float *out);

#endif
