/* Hashing while copying: the checksums of snapshots and the fingerprints of weights. XXH3 of xxHash, compiled here for
 * the folder's instructions. The folder defines copy_lines, which copies whole cache lines, without leaving them in the
 * caches where it can, and copy_end, after the last of them. */
#ifndef HLMI_KERNEL_TMPL_HASH_H
#define HLMI_KERNEL_TMPL_HASH_H

#include <string.h>

#define XXH_INLINE_ALL
#include <xxhash.h>

#include "kernel/kernel.h"

enum { HASH_LINE = 64 };

static uint64_t hash(const void *x, size_t n, uint64_t seed)
{
    const char *at = x;
    for (; n > HLMI_HASH_PIECE; n -= HLMI_HASH_PIECE, at += HLMI_HASH_PIECE)
        seed = XXH3_64bits_withSeed(at, HLMI_HASH_PIECE, seed);
    return n ? XXH3_64bits_withSeed(at, n, seed) : seed;
}

/* Lines of dst are written once each, whole: what is left of a piece goes with the next. */
static uint64_t hash_copy(void *dst, const void *src, size_t n, uint64_t seed)
{
    const char *from = src;
    char *to = dst;
    size_t copied = (size_t)(-(uintptr_t)to % HASH_LINE), hashed = 0;
    if (copied > n) copied = n;
    memcpy(to, from, copied);
    while (hashed < n) {
        const size_t m = n - hashed < HLMI_HASH_PIECE ? n - hashed : HLMI_HASH_PIECE;
        seed = XXH3_64bits_withSeed(from + hashed, m, seed); /* the piece is in the first cache now */
        hashed += m;
        if (hashed <= copied) continue;
        const size_t lines = (hashed - copied) / HASH_LINE * HASH_LINE;
        copy_lines(to + copied, from + copied, lines);
        copied += lines;
    }
    copy_end();
    memcpy(to + copied, from + copied, n - copied);
    return seed;
}

#endif
