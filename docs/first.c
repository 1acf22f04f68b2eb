/* The shortest useful program: loads a model and continues a text, greedily.
 *   cc first.c $(pkg-config --cflags --libs hybridlm) -o first
 *   ./first MODEL.gguf "The capital of France is" */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <hybridlm/hybridlm.h>

static int32_t print_piece(void *user, int32_t token, const char *text, size_t len)
{
    (void)user;
    (void)token;
    fwrite(text, 1, len, stdout);
    fflush(stdout);
    return 0; /* go on */
}

int main(int argc, char **argv)
{
    if (argc != 3) {
        fprintf(stderr, "usage: first MODEL TEXT\n");
        return 2;
    }
    hlm_model *model = NULL;
    hlm_context *ctx = NULL;
    hlm_cache *cache = NULL;
    int32_t prompt[512];
    size_t n = 0;
    int exit_code = EXIT_FAILURE;

    /* NULL parameters are all defaults; every object frees in any order. */
    if (hlm_model_load(&model, argv[1], NULL) != HLM_OK) goto done;
    if (hlm_ctx_new(&ctx, model, NULL) != HLM_OK) goto done;
    if (hlm_cache_new(&cache, hlm_ctx_pool(ctx), NULL) != HLM_OK) goto done;
    if (hlm_tokenize(model, argv[2], strlen(argv[2]), HLM_TOKENIZE_ADD_SPECIAL, prompt, 512, &n) != HLM_OK) goto done;

    const hlm_generate_params params = {
        .struct_size = sizeof params,
        .prompt = prompt,
        .n_prompt = n,
        .max_tokens = 32,
        .on_token = print_piece,
    };
    if (hlm_generate(ctx, cache, NULL, &params, NULL) != HLM_OK) goto done;
    printf("\n");
    exit_code = EXIT_SUCCESS;
done:
    if (exit_code != EXIT_SUCCESS) fprintf(stderr, "first: %s\n", hlm_last_error());
    hlm_cache_free(cache);
    hlm_ctx_free(ctx);
    hlm_model_release(model);
    return exit_code;
}
