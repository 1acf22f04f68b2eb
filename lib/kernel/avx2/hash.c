/* Checksums with AVX2; copies go past the caches. */
#include <immintrin.h>
#include <string.h>

#include "kernel/avx2/vec.h"

enum { VECTOR = 32, LINE = 2 * VECTOR };

static void copy_past(void *dst, const void *src, size_t n)
{
    char *to = dst;
    const char *from = src;
    size_t head = (size_t)(-(uintptr_t)to % VECTOR);
    if (head > n) head = n;
    memcpy(to, from, head);
    to += head, from += head, n -= head;
    for (; n >= LINE; n -= LINE, to += LINE, from += LINE) {
        const __m256i a = _mm256_loadu_si256((const __m256i *)(const void *)from);
        const __m256i b = _mm256_loadu_si256((const __m256i *)(const void *)(from + VECTOR));
        _mm256_stream_si256((__m256i *)(void *)to, a);
        _mm256_stream_si256((__m256i *)(void *)(to + VECTOR), b);
    }
    memcpy(to, from, n);
}

static void copy_end(void)
{
    _mm_sfence(); /* other threads see the copy after whatever comes next */
}

#include "kernel/tmpl/hash.h"

void hlmi_avx2_hash(hlmi_kernels *k)
{
    k->hash = hash;
    k->hash_copy = hash_copy;
}
