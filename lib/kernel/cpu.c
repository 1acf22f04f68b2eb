/* What the CPU and the operating system offer. */
#include "kernel/kernel.h"

unsigned hlmi_cpu_detect(void)
{
    return 0;
}
