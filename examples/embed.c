/* A first answer: asks a model a question and prints the answer as it comes.
 *   cc embed.c $(pkg-config --cflags --libs hybridlm) -o embed && ./embed MODEL.gguf "What is gravity?" */
#include <stdio.h>
#include <hybridlm/hybridlm.h>

static int32_t print(void *user, int32_t token, const char *text, size_t len)
{
    (void)user, (void)token;
    fwrite(text, 1, len, stdout);
    return fflush(stdout); /* 0: go on */
}

int main(int argc, char **argv)
{
    if (argc != 3) return fprintf(stderr, "usage: embed MODEL QUESTION\n"), 2;
    hlm_model *model = NULL;
    hlm_context *ctx = NULL;
    hlm_cache *cache = NULL;
    int32_t prompt[1024];
    const hlm_message question = {.role = "user", .content = argv[2]};
    hlm_generate_params params = {.struct_size = sizeof params, .prompt = prompt, .max_tokens = 512, .on_token = print};

    hlm_status st = hlm_model_load(&model, argv[1], NULL);
    if (st == HLM_OK) st = hlm_chat_tokenize_messages(model, &question, 1, NULL, prompt, 1024, &params.n_prompt);
    if (st == HLM_OK) st = hlm_ctx_new(&ctx, model, NULL);
    if (st == HLM_OK) st = hlm_cache_new(&cache, hlm_ctx_pool(ctx), NULL);
    if (st == HLM_OK) st = hlm_generate(ctx, cache, NULL, &params, NULL);
    st == HLM_OK ? puts("") : fprintf(stderr, "embed: %s\n", hlm_last_error());

    hlm_cache_free(cache);
    hlm_ctx_free(ctx);
    hlm_model_release(model);
    return st == HLM_OK ? 0 : 1;
}
