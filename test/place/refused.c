/* refused MODELS: a place that can not compute a block, or not multiply a type, makes loading say so by name, before a
 * number is read; with what it lacks elsewhere, the model loads. */
#include <stdio.h>
#include <string.h>

#include "place/counting.h"
#include "plan/layers.h"
#include "plan/model.h"

static unsigned passed, failed;

static void expect(bool ok, const char *what)
{
    if (ok) passed++;
    else failed++;
    if (!ok) printf("%s: %s\n", what, hlm_last_error());
}

/* said NULL: it loads. */
static void load(const char *folder, const char *name, uint32_t flags, const char *said)
{
    char path[1024], sentence[2048];
    const hlm_model_params p = {.struct_size = sizeof p, .flags = flags};
    hlm_model *m = NULL;
    snprintf(path, sizeof path, "%s/%s", folder, name);
    snprintf(sentence, sizeof sentence, "%s: %s", path, said ? said : "");
    const hlm_status st = hlm_model_load(&m, path, &p);
    if (said) expect(st == HLM_E_UNSUPPORTED && !m && strcmp(hlm_last_error(), sentence) == 0, sentence);
    else expect(st == HLM_OK && m, path);
    hlm_model_release(m);
}

int main(int argc, char **argv)
{
    if (argc != 2) return 2;
    const char *models = argv[1];
    place_lacks_block = HLMI_BLOCK_MAMBA2;
    load(models, "mamba2-dtlimit", 0, "place second can not compute block 1, mamba2");
    load(models, "mamba2-dtlimit", HLM_LOAD_HEADERS, "place second can not compute block 1, mamba2");
    load(models, "jamba", 0, NULL);
    place_lacks_block = -1;
    load(models, "mamba2-dtlimit", 0, NULL);
    place_lacks_type = HLMI_Q4_0;
    load(models, "gguf-q4_0/model.gguf", 0, "place second can not multiply tensor blk.0.attn_q.weight of type q4_0");
    load(models, "mamba2-dtlimit", 0, NULL);
    place_lacks_type = HLMI_TYPE_COUNT;
    load(models, "gguf-q4_0/model.gguf", 0, NULL);
    printf("%u passed, %u failed\n", passed, failed);
    return failed ? 1 : 0;
}
