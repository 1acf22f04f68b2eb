/* Checksums with AVX2; copies go past the caches. */
#include "kernel/avx2/avx2.h"

/* The next piece is fetched while this one is written. Where it is behind the end, nothing is: addresses are only a
 * hint. */
static void copy_lines(char *dst, const char *src, size_t n)
{
    for (size_t i = 0; i < n; i += 64) {
        _mm_prefetch((const char *)((uintptr_t)src + i + HLMI_HASH_PIECE), _MM_HINT_T0);
        const __m256i a = _mm256_loadu_si256((const __m256i *)(const void *)(src + i));
        const __m256i b = _mm256_loadu_si256((const __m256i *)(const void *)(src + i + 32));
        _mm256_stream_si256((__m256i *)(void *)(dst + i), a);
        _mm256_stream_si256((__m256i *)(void *)(dst + i + 32), b);
    }
}

static void copy_end(void)
{
    _mm_sfence(); /* what comes next is seen by other threads after the copy */
}

#include "kernel/tmpl/hash.h"

void hlmi_avx2_hash(hlmi_kernels *k)
{
    k->hash = hash;
    k->hash_copy = hash_copy;
}
