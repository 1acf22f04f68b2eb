/* config_replay [N [SEED [FOLDER]]]: runs the fuzz target for settings without a fuzzer: over the settings and tensors
 * of every folder of test/data/models, which must load, and over N changed ones. With a FOLDER the unchanged ones are
 * also written there, as a beginning for a fuzzer. $CONFIG_INPUT names a file for the input at hand, to have what ended
 * the program. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "fuzz/fuzz_config.h"

enum { LONGEST = 1 << 17 };

static void write_seed(const char *folder, const config_seed *s)
{
    char path[1024];
    snprintf(path, sizeof path, "%s/%s", folder, s->name);
    FILE *f = fopen(path, "wb");
    if (f) fwrite(s->data, 1, s->size, f);
    if (f) fclose(f);
}

int main(int argc, char **argv)
{
    const unsigned long n = argc > 1 ? strtoul(argv[1], NULL, 10) : 1000;
    uint64_t random = argc > 2 ? strtoull(argv[2], NULL, 10) : 17;
    const char *one = getenv("CONFIG_INPUT");
    size_t n_seeds, passed = 0, failed = 0, empty = 0;
    const config_seed *seeds = config_seeds(&n_seeds);
    uint8_t *x = malloc(LONGEST);
    for (size_t i = 0; i < n_seeds; i++) {
        const unsigned long before = fuzz_accepted();
        LLVMFuzzerTestOneInput(seeds[i].data, seeds[i].size);
        const int good = fuzz_accepted() == before + 1;
        if (!good) printf("%s is no model: %s\n", seeds[i].name, hlm_last_error());
        passed += good ? 1 : 0;
        failed += good ? 0 : 1;
        if (argc > 3) write_seed(argv[3], &seeds[i]);
    }
    const unsigned long unchanged = fuzz_accepted();
    for (unsigned long i = 0; x && n_seeds && i < n; i++) {
        const config_seed *s = &seeds[i % n_seeds];
        if (s->size > LONGEST) continue;
        memcpy(x, s->data, s->size);
        const size_t size = config_change(x, s->size, LONGEST, &random);
        FILE *f = one && size ? fopen(one, "wb") : NULL;
        if (f) fwrite(x, 1, size, f);
        if (f) fclose(f);
        if (size) LLVMFuzzerTestOneInput(x, size);
        passed += size > 0;
        empty += size == 0;
    }
    printf("%lu of the changed ones were models (%lu without a head), %zu could not be changed\n",
           fuzz_accepted() - unchanged, fuzz_accepted_headless(), empty);
    if (n >= 1000 && fuzz_accepted_headless() == 0) failed++;
    free(x);
    printf("%zu passed, %zu failed\n", passed, failed);
    return failed || !passed;
}
