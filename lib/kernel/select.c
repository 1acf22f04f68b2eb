/* Fills the kernel table: plain C first, then what the CPU has on top. The only place where a CPU bit decides
 * anything. */
#include "kernel/isa.h"

static const char *class_name(unsigned cpu, bool bf16)
{
    if (cpu & HLMI_CPU_AVX512) {
        if (cpu & HLMI_CPU_VNNI) return bf16 ? "avx512-vnni-bf16" : "avx512-vnni";
        return bf16 ? "avx512-bf16" : "avx512";
    }
    if (cpu & HLMI_CPU_AVX2) return bf16 ? "avx2-bf16" : "avx2";
    return bf16 ? "ref-bf16" : "ref";
}

void hlmi_kernels_init(hlmi_kernels *k, unsigned cpu, bool portable)
{
    const bool bf16 = (cpu & HLMI_CPU_BF16) != 0 && !portable;
    *k = (hlmi_kernels){.isa = class_name(cpu, bf16)};
    k->name = portable ? HLMI_CLASS_PORTABLE : k->isa;
    hlmi_kernels_ref(k, bf16, (cpu & HLMI_CPU_VNNI) != 0 && !portable);
#ifdef HLMI_X86_KERNELS
    if (cpu & HLMI_CPU_AVX2) hlmi_kernels_avx2(k);
    if (cpu & HLMI_CPU_AVX512) hlmi_kernels_avx512(k, cpu);
#endif
}
