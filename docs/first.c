/* The shortest useful program: asks a model a question and prints its answer as it comes, greedily.
 *   cc first.c $(pkg-config --cflags --libs hybridlm) -o first
 *   ./first MODEL.gguf "What is gravity?" */
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

/* The question as the model's chat template puts it; a model that has none goes on with it as a text. */
static hlm_status read_question(const hlm_model *model, const char *question, int32_t *prompt, size_t cap, size_t *n)
{
    const hlm_message message = {.role = "user", .content = question};
    hlm_model_info info = {.struct_size = sizeof info};
    const hlm_status st = hlm_model_info_get(model, &info);
    if (st != HLM_OK) return st;
    if (info.has_chat_template) return hlm_chat_tokenize_messages(model, &message, 1, NULL, prompt, cap, n);
    return hlm_tokenize(model, question, strlen(question), HLM_TOKENIZE_ADD_SPECIAL, prompt, cap, n);
}

int main(int argc, char **argv)
{
    if (argc != 3) {
        fprintf(stderr, "usage: first MODEL QUESTION\n");
        return 2;
    }
    hlm_model *model = NULL;
    hlm_context *ctx = NULL;
    hlm_cache *cache = NULL;
    int32_t prompt[1024];
    size_t n = 0;
    int exit_code = EXIT_FAILURE;

    /* NULL parameters are all defaults; every object frees in any order. */
    if (hlm_model_load(&model, argv[1], NULL) != HLM_OK) goto done;
    if (hlm_ctx_new(&ctx, model, NULL) != HLM_OK) goto done;
    if (hlm_cache_new(&cache, hlm_ctx_pool(ctx), NULL) != HLM_OK) goto done;
    if (read_question(model, argv[2], prompt, 1024, &n) != HLM_OK) goto done;

    const hlm_generate_params params = {
        .struct_size = sizeof params,
        .prompt = prompt,
        .n_prompt = n,
        .max_tokens = 512, /* it ends before, with what it has to say */
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
