/* Loaded in front of a test program (LD_PRELOAD): its thread, and those that it starts, round upwards and have no
 * denormals, as a host's may. The program's numbers are to stay what they are. */
#include "words.h"

__attribute__((constructor)) static void preset(void)
{
    const fp_words audio = FP_AUDIO;
    fp_set(audio);
}
