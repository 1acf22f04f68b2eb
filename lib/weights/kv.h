/* Sizes of GGUF value types, shared by the reader of the container and the accessors. */
#ifndef HLMI_WEIGHTS_KV_H
#define HLMI_WEIGHTS_KV_H

#include "weights/store.h"

/** Bytes of a value of fixed size; 0 for strings, arrays and unknown numbers. */
size_t hlmi_kv_size(uint64_t type);

/** Little-endian, unaligned, n = 1 .. 8 bytes. */
uint64_t hlmi_load_le(const uint8_t *p, size_t n);

#endif
