/* What the CPU and the operating system offer: cpuid for the instructions, xgetbv for the registers that the system
 * saves. */
#include "kernel/kernel.h"

#include <string.h>

#if defined(__x86_64__) && (defined(__GNUC__) || defined(__clang__))

#  include <cpuid.h>

typedef struct regs {
    unsigned a, b, c, d;
} regs;

static regs cpuid(unsigned leaf, unsigned sub)
{
    regs r = {0, 0, 0, 0};
    if (!__get_cpuid_count(leaf, sub, &r.a, &r.b, &r.c, &r.d)) return (regs){0, 0, 0, 0};
    return r;
}

/* Register sets that the system saves; only where OSXSAVE is set. */
static unsigned saved_state(void)
{
    unsigned low, high;
    __asm__ volatile("xgetbv" : "=a"(low), "=d"(high) : "c"(0));
    (void)high;
    return low;
}

static bool has(unsigned word, unsigned bits)
{
    return (word & bits) == bits;
}

unsigned hlmi_cpu_detect(void)
{
    const unsigned ymm_state = 0x06, zmm_state = 0xE6; /* SSE, AVX; and opmask, both halves of zmm */
    const regs one = cpuid(1, 0), seven = cpuid(7, 0);
    unsigned found = 0;
    if (!has(one.c, bit_OSXSAVE | bit_AVX | bit_FMA | bit_F16C) || !has(seven.b, bit_AVX2)) return 0;
    const unsigned saved = saved_state();
    if (!has(saved, ymm_state)) return 0;
    found |= HLMI_CPU_AVX2;
    if (!has(saved, zmm_state) || !has(seven.b, bit_AVX512F | bit_AVX512BW | bit_AVX512VL | bit_AVX512DQ)) return found;
    found |= HLMI_CPU_AVX512;
    if (has(seven.c, bit_AVX512VNNI)) found |= HLMI_CPU_VNNI;
    if (seven.a >= 1 && has(cpuid(7, 1).a, bit_AVX512BF16)) found |= HLMI_CPU_BF16;
    return found;
}

#else

unsigned hlmi_cpu_detect(void)
{
    return 0;
}

#endif

bool hlmi_cpu_limit(const char *limit, unsigned *bits)
{
    static const struct {
        const char *name;
        unsigned bits;
    } sets[] = {
        {"ref", 0},
        {"avx2", HLMI_CPU_AVX2},
        {"avx512", HLMI_CPU_AVX2 | HLMI_CPU_AVX512 | HLMI_CPU_VNNI | HLMI_CPU_BF16},
    };
    *bits = hlmi_cpu_detect();
    for (size_t i = 0; limit && i < sizeof sets / sizeof *sets; i++) {
        if (strcmp(limit, sets[i].name) != 0) continue;
        *bits &= sets[i].bits;
        return true;
    }
    return !limit;
}
