/* Hashing while copying: the checksums of snapshots and the fingerprints of weights. XXH3 of xxHash, compiled here for the
 * folder's instructions. The folder defines copy_past, which copies n bytes without leaving them in the caches where it can. */
#ifndef HLMI_KERNEL_TMPL_HASH_H
#define HLMI_KERNEL_TMPL_HASH_H

#define XXH_INLINE_ALL
#include <xxhash.h>

#include "kernel/kernel.h"

static uint64_t hash(const void *x, size_t n, uint64_t seed)
{
    const char *at = x;
    for (; n > HLMI_HASH_PIECE; n -= HLMI_HASH_PIECE, at += HLMI_HASH_PIECE)
        seed = XXH3_64bits_withSeed(at, HLMI_HASH_PIECE, seed);
    return n ? XXH3_64bits_withSeed(at, n, seed) : seed;
}

static uint64_t hash_copy(void *dst, const void *src, size_t n, uint64_t seed)
{
    const char *at = src;
    char *to = dst;
    while (n) {
        const size_t m = n < HLMI_HASH_PIECE ? n : HLMI_HASH_PIECE;
        seed = XXH3_64bits_withSeed(at, m, seed); /* the piece is in the first cache now */
        copy_past(to, at, m);
        at += m;
        to += m;
        n -= m;
    }
    copy_end();
    return seed;
}

#endif
