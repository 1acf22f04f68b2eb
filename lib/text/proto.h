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

/** What a field is read as: a hlmi_str, bool, int32_t or float. */
typedef enum hlmi_proto_type { HLMI_PROTO_BYTES, HLMI_PROTO_BOOL, HLMI_PROTO_I32, HLMI_PROTO_F32 } hlmi_proto_type;

/** A field that is wanted of a message. */
typedef struct hlmi_proto_want {
    uint32_t number; /* 0 ends a list of them */
    hlmi_proto_type type;
    const char *name; /* in errors */
    size_t at; /* where in the reader's struct it goes */
} hlmi_proto_want;

/** Puts the field where it is wanted. HLM_E_FORMAT when it has another type. */
hlm_status hlmi_proto_put(const hlmi_proto_field *f, const hlmi_proto_want *want, void *out);
/** Puts all wanted fields of a message into out; of several with one number the last one counts.
 *  Errors  as hlmi_proto_next and hlmi_proto_put. */
hlm_status hlmi_proto_read(hlmi_str message, const hlmi_proto_want *wants, void *out);

#endif
