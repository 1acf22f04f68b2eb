/* A first answer in C++: asks a model a question and prints the answer as it comes.
 *   c++ -std=c++17 embed.cpp $(pkg-config --cflags --libs hybridlm) -o embed && ./embed MODEL.gguf "What is gravity?" */
#include <cstdio>
#include <string>
#include <string_view>

#include <hybridlm/hybridlm.hpp>

static hlm::Status answer(const char *path, std::string_view question)
{
    auto model = hlm::Model::load(path);
    if (!model) return model.status();
    auto prompt = model->chat_tokenize_messages({{"user", std::string(question)}});
    if (!prompt) return prompt.status();
    auto ctx = hlm::Context::create(*model);
    if (!ctx) return ctx.status();
    auto cache = hlm::Cache::create(ctx->pool());
    if (!cache) return cache.status();

    auto params = hlm::make<hlm_generate_params>();
    params.prompt = prompt->data();
    params.n_prompt = prompt->size();
    params.max_tokens = 512;
    const auto print = [](int32_t, std::string_view text) {
        std::fwrite(text.data(), 1, text.size(), stdout);
        std::fflush(stdout);
    };
    return ctx->generate(*cache, nullptr, params, print).status();
}

int main(int argc, char **argv)
{
    if (argc != 3) {
        std::fprintf(stderr, "usage: embed MODEL QUESTION\n");
        return 2;
    }
    const hlm::Status st = answer(argv[1], argv[2]);
    if (st) {
        std::puts("");
    } else {
        std::fprintf(stderr, "embed: %s\n", st.sentence().c_str());
    }
    return st ? 0 : 1;
}
