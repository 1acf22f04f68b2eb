/* hybridlm.hpp: every handle in use, and misuse. Built twice, with and without exceptions.
 *   test_cpp MODEL_FOLDER      ends with "N passed, N failed" */
#include <algorithm>
#include <cmath>
#include <cstdio>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <string>
#include <thread>
#include <type_traits>
#include <vector>

#include <hybridlm/hybridlm.hpp>

namespace
{

int passed, failed;
std::string program; /* files beside it are this run's own */

void check(bool ok, const char *what, int line)
{
    ok ? passed++ : failed++;
    if (!ok) std::printf("FAIL line %d: %s\n", line, what);
}
#define CHECK(condition) check(condition, #condition, __LINE__)

/* An error of this code whose sentence speaks of `words`. */
void refused(const hlm::Status &st, hlm_status code, const char *words, int line)
{
    const bool ok = st.code() == code && st.sentence().find(words) != std::string::npos;
    check(ok, (st.name() + (": " + st.sentence())).c_str(), line);
}
#define REFUSED(status, code, words) refused(status, code, words, __LINE__)

/* Handles move and do not copy. */
template <class T>
constexpr bool move_only = std::is_nothrow_move_constructible_v<T> &&std::is_nothrow_move_assignable_v<T> &&
    !std::is_copy_constructible_v<T> && !std::is_copy_assignable_v<T>;
static_assert(move_only<hlm::Model> && move_only<hlm::Pool> && move_only<hlm::Context> && move_only<hlm::Cache>);
static_assert(move_only<hlm::Sampler> && move_only<hlm::TextStream> && move_only<hlm::Adapter>);
static_assert(sizeof(hlm::Model) == sizeof(void *) && sizeof(hlm::Cache) == sizeof(void *));
/* Spans do not take away const, nor take other types. */
static_assert(std::is_constructible_v<hlm::Span<const int32_t>, const std::vector<int32_t> &>);
static_assert(!std::is_constructible_v<hlm::Span<int32_t>, const std::vector<int32_t> &>);
static_assert(!std::is_constructible_v<hlm::Span<float>, std::vector<double> &>);

const std::vector<int32_t> one_two_three = {1, 2, 3};

struct family {
    hlm::Model model;
    hlm::Context ctx;
    hlm::Cache cache;
};

family new_family(const char *path)
{
    family f;
    f.model = *hlm::Model::load(path);
    auto params = hlm::make<hlm_ctx_params>();
    params.n_threads = 2;
    f.ctx = *hlm::Context::create(f.model, &params);
    f.cache = *hlm::Cache::create(f.ctx.pool());
    return f;
}

/* The logits after `tokens`. */
std::vector<float> logits(family &f, hlm::Cache &cache, hlm::Span<const int32_t> tokens)
{
    std::vector<float> out(f.model.vocab_size());
    CHECK(f.ctx.decode(hlm::Step(cache, tokens).logits(out)).ok());
    return out;
}

bool same(const std::vector<float> &a, const std::vector<float> &b)
{
    return a.size() == b.size() && std::memcmp(a.data(), b.data(), a.size() * sizeof a[0]) == 0;
}

void test_text(family &f)
{
    const std::string text = "hello world, \"and\" the rest \xc3\xbc";
    auto ids = f.model.tokenize(text);
    CHECK(ids.ok() && *f.model.detokenize(*ids) == text);
    auto stream = *hlm::TextStream::create(f.model);
    std::string joined;
    for (const int32_t id : *ids) joined += *stream.push(id);
    joined += *stream.finish();
    CHECK(joined == text);
    const std::string long_text(10000, 'x'); /* more tokens than the first guess */
    CHECK(f.model.tokenize(long_text)->size() == 10000);

    const auto messages = hlm::messages_json({{"user", "\"\\\n\x01"}, {"assistant", "yes"}});
    CHECK(messages ==
          "[{\"role\":\"user\",\"content\":\"\\\"\\\\\\u000a\\u0001\"},"
          "{\"role\":\"assistant\",\"content\":\"yes\"}]");
    CHECK(*f.model.chat_render(messages) ==
          "<|begin|>user\n\"\\\n\x01<|end|>\n<|begin|>assistant\nyes<|end|>\n<|begin|>assistant\n");
    CHECK(f.model.chat_tokenize(messages).ok());
    const std::vector<hlm::Message> talk = {{"user", "\"\\\n\x01"}, {"assistant", "yes"}};
    CHECK(*f.model.chat_render_messages(talk) == *f.model.chat_render(messages));
    CHECK(*f.model.chat_tokenize_messages(talk) == *f.model.chat_tokenize(messages));
    CHECK(*f.model.chat_render_messages({{"user", "hi"}}) == "<|begin|>user\nhi<|end|>\n<|begin|>assistant\n");
    CHECK(*f.model.chat_tokenize_messages({{"user", long_text}}) ==
          *f.model.chat_tokenize(hlm::messages_json({{"user", long_text}})));
    CHECK(*f.model.chat_render_messages({}) == *f.model.chat_render("[]"));
    const std::string own = *f.model.chat_template_text();
    hlm_chat_params by_text{};
    by_text.struct_size = sizeof by_text;
    by_text.chat_template = own.c_str();
    CHECK(*f.model.chat_template_text(&by_text) == own);
    CHECK(*f.model.chat_render(messages, &by_text) == *f.model.chat_render(messages));
    CHECK(f.model.token_ends(287) && !f.model.token_ends(1));
    CHECK(f.model.info()->n_layers == 2);
    CHECK(f.model.memory_plan()->total > 0);
}

void test_state(family &f)
{
    const auto whole = logits(f, f.cache, one_two_three);
    CHECK(*f.cache.tokens() == one_two_three);
    CHECK(same(*f.ctx.logits(f.cache), whole));
    auto fork = *f.cache.fork(1);
    const std::vector<int32_t> rest = {2, 3};
    CHECK(same(logits(f, fork, rest), whole));
    CHECK(f.cache.mark().ok() && f.cache.marks()->back() == 3);
    CHECK(f.cache.unmark(3).ok() && f.cache.marks().ok());
    const auto bytes = *f.cache.save();
    CHECK(*hlm::Cache::load(f.ctx.pool(), bytes)->tokens() == one_two_three);
    CHECK(!hlm::Cache::load(f.ctx.pool(), hlm::Span<const uint8_t>(bytes.data(), bytes.size() - 1)).ok());
    const std::string snapshot = program + ".snapshot";
    CHECK(f.cache.save(snapshot).ok());
    CHECK(*hlm::Cache::load(f.ctx.pool(), snapshot)->tokens() == one_two_three);
    CHECK(std::remove(snapshot.c_str()) == 0 && !hlm::Cache::load(f.ctx.pool(), snapshot).ok());
    CHECK(f.cache.prefix_add().ok() && f.ctx.pool().prefix_info()->tokens == 3);
    auto like = *hlm::Cache::create(f.ctx.pool());
    CHECK(like.reuse(one_two_three)->reused == 2 && like.length() == 2 && !like.reuse({}).ok());
    CHECK(!f.ctx.pool().prefix_load("/nowhere").ok() && !f.ctx.pool().prefix_save("/nowhere/at/all").ok());
    CHECK(f.ctx.pool().prefix_clear().ok() && f.ctx.pool().prefix_info()->tokens == 0);
    CHECK(f.cache.reserve(20).ok());
    CHECK(*f.cache.rewind(0) == 0 && f.cache.length() == 0 && f.cache.pending() == 0);
    CHECK(f.ctx.logits(f.cache).status().code() == HLM_E_EMPTY);

    /* both in one batch, all rows of one, hidden states of the other */
    auto again = *hlm::Cache::create(f.ctx.pool());
    std::vector<float> all(3 * f.model.vocab_size()), states(3 * 16), picked(2 * f.model.vocab_size());
    const std::vector<std::size_t> indices = {0, 2};
    std::vector<hlm::Step> steps;
    steps.emplace_back(f.cache, one_two_three).all_logits(all);
    steps.emplace_back(again, one_two_three).logits_of(indices, picked).hidden(HLM_HIDDEN_PRE_NORM, states);
    CHECK(f.ctx.decode(steps).ok());
    CHECK(std::memcmp(&all[2 * whole.size()], whole.data(), whole.size() * sizeof(float)) == 0);
    CHECK(std::memcmp(&picked[whole.size()], whole.data(), whole.size() * sizeof(float)) == 0);
    CHECK(states[0] != 0);
    CHECK(f.ctx.pool().usage()->used > 0);
    CHECK(f.ctx.score(one_two_three)->logprobs.size() == 2);
}

/* A PEFT folder of rank 1 for a matrix of tiny-llama. */
std::string new_adapter()
{
    const std::string folder = program + ".adapter", matrix = "base_model.model.model.layers.0.mlp.down_proj.lora_";
    std::filesystem::create_directory(folder);
    std::ofstream(folder + "/adapter_config.json") << R"({"peft_type": "LORA", "r": 1, "lora_alpha": 1})";
    std::string header = "{\"" + matrix +
        R"(A.weight": {"dtype": "F32", "shape": [1, 32], "data_offsets": [0, 128]}, ")" + matrix +
        R"(B.weight": {"dtype": "F32", "shape": [16, 1], "data_offsets": [128, 192]}})";
    header.resize(256, ' ');
    std::vector<float> numbers(48);
    for (std::size_t i = 0; i < numbers.size(); i++) numbers[i] = static_cast<float>(i % 5) - 1;
    std::ofstream file(folder + "/adapter_model.safetensors", std::ios::binary);
    file.write("\0\1\0\0\0\0\0\0", 8) << header; /* 256, little-endian */
    file.write(reinterpret_cast<const char *>(numbers.data()), 192);
    return folder;
}

void test_adapters(family &f)
{
    const std::string folder = new_adapter();
    auto params = hlm::make<hlm_adapter_params>();
    params.scale = -1;
    hlm::Adapter both[] = {*hlm::Adapter::load(f.model, folder), *hlm::Adapter::load(f.model, folder, &params)};
    const hlm::Adapter &lora = both[0];
    CHECK(lora && both[1] && lora.info()->rank == 1 && lora.info()->n_matrices == 1);
    const auto none = *hlm::Adapter::join(both);
    CHECK(none.info()->rank == 2);
    const auto with = [&f](hlm::Cache &cache, const hlm::Adapter &adapter) {
        std::vector<float> out(f.model.vocab_size());
        CHECK(f.ctx.decode(hlm::Step(cache, one_two_three).adapter(adapter).logits(out)).ok());
        return out;
    };
    auto plain = *hlm::Cache::create(f.ctx.pool()), a = *hlm::Cache::create(f.ctx.pool());
    auto b = *hlm::Cache::create(f.ctx.pool()), c = *hlm::Cache::create(f.ctx.pool());
    const auto own = logits(f, plain, one_two_three), changed = with(a, lora), back = with(b, none);
    CHECK(!same(own, changed) && same(changed, with(c, lora.share())));
    double most = 0;
    for (std::size_t i = 0; i < own.size(); i++) most = std::max(most, std::fabs(double(own[i]) - double(back[i])));
    CHECK(most < 1e-4);

    auto generate = hlm::make<hlm_generate_params>();
    generate.prompt = one_two_three.data();
    generate.n_prompt = one_two_three.size();
    generate.max_tokens = 1;
    generate.adapter = lora.get();
    auto cache = *hlm::Cache::create(f.ctx.pool());
    int32_t first = -1;
    CHECK(f.ctx
              .generate(cache, nullptr, generate,
                        [&first](int32_t token, std::string_view) {
                            if (first < 0) first = token;
                        })
              .ok());
    CHECK(first == std::max_element(changed.begin(), changed.end()) - changed.begin());

    CHECK(a.prefix_add().ok());
    auto like = *hlm::Cache::create(f.ctx.pool());
    CHECK(like.reuse(one_two_three, both[1])->reused == 0 && like.reuse(one_two_three, lora)->reused == 2);
    const auto bytes = *a.save(); /* other pools must know the adapter first */
    auto pool = *hlm::Pool::create(f.model);
    REFUSED(hlm::Cache::load(pool, bytes).status(), HLM_E_MISMATCH, "adapter");
    CHECK(pool.adapt(lora).ok() && hlm::Cache::load(pool, bytes)->length() == 3);

    REFUSED(hlm::Adapter::load(f.model, "no/such").status(), HLM_E_IO, "no/such");
    REFUSED(hlm::Adapter::load(f.model, std::string("a\0b", 3)).status(), HLM_E_ARG, "zero byte");
    REFUSED(hlm::Adapter::load(hlm::Model(), folder).status(), HLM_E_ARG, "");
    REFUSED(hlm::Adapter::join({}).status(), HLM_E_ARG, "");
    const hlm::Adapter empty;
    REFUSED(empty.info().status(), HLM_E_ARG, "");
    REFUSED(pool.adapt(empty), HLM_E_ARG, "");
    REFUSED(like.reuse(one_two_three, empty).status(), HLM_E_ARG, "empty");
    REFUSED(f.ctx.decode(hlm::Step(like, one_two_three).adapter(empty)), HLM_E_ARG, "adapter is empty");
    CHECK(!empty.share());
    std::filesystem::remove_all(folder);
}

void test_rows_in_and_out(family &f)
{
    auto cache = *hlm::Cache::create(f.ctx.pool()), again = *hlm::Cache::create(f.ctx.pool());
    std::vector<float> rows(3 * 16), weights(2 * 3 * 3), logits_in(288), logits_out(288);
    auto step = hlm::Step(cache, one_two_three);
    CHECK(f.ctx.decode(step.hidden(0, rows).attention(1, weights).logits(logits_in)).ok());
    CHECK(std::fabs(weights[0] - 1) < 1e-3f && weights[1] == 0); /* the first token sees itself */
    CHECK(f.ctx.decode(hlm::Step::embeddings(again, rows).logits(logits_out)).ok());
    CHECK(same(logits_in, logits_out));
    CHECK(again.state(0, HLM_STATE_SCAN).ok() && again.state(0, HLM_STATE_SCAN)->empty());
    REFUSED(again.state(9, HLM_STATE_SCAN).status(), HLM_E_ARG, "9");
    rows.pop_back();
    REFUSED(f.ctx.decode(hlm::Step::embeddings(again, rows)), HLM_E_ARG, "embeddings has 47");
    REFUSED(f.ctx.decode(hlm::Step(cache, one_two_three).attention(1, weights)), HLM_E_ARG, "6 rows of 6");

    const auto vector = f.ctx.embed(one_two_three);
    CHECK(vector.ok() && vector->size() == 16);
    const auto scored = f.ctx.score_labels(one_two_three, one_two_three);
    CHECK(scored.ok() && scored->sum == f.ctx.score(one_two_three)->sum && scored->count == 2);
    REFUSED(f.ctx.score_labels(one_two_three, {}).status(), HLM_E_ARG, "0 labels");
    CHECK(f.model.label(0) == nullptr);
}

void test_sampler(family &f)
{
    auto params = hlm::make<hlm_sampler_params>();
    params.temperature = 1;
    auto a = *hlm::Sampler::create(f.model, &params);
    std::vector<float> row(f.model.vocab_size());
    CHECK(a.sample(row).ok());
    auto b = *a.fork();
    for (int i = 0; i < 10; i++) CHECK(*a.sample(row) == *b.sample(row));
    CHECK(a.accept(1).ok());
    row.pop_back();
    REFUSED(a.sample(row).status(), HLM_E_ARG, "287 logits");
    params.temperature = NAN;
    REFUSED(hlm::Sampler::create(f.model, &params).status(), HLM_E_ARG, "temperature");
}

void test_generate(family &f)
{
    auto params = hlm::make<hlm_generate_params>();
    params.prompt = one_two_three.data();
    params.n_prompt = one_two_three.size();
    params.max_tokens = 5;
    params.ignore_eos = 1;
    int calls = 0;
    std::string text;
    auto done = f.ctx.generate(f.cache, nullptr, params, [&](int32_t, std::string_view piece) {
        calls++;
        text += piece;
    });
    CHECK(done.ok() && done->n_generated == 5 && done->finish == HLM_FINISH_LENGTH && calls == 6);
    CHECK(f.cache.length() == 3 + 4);

    auto cache = *hlm::Cache::create(f.ctx.pool());
    auto greedy = *hlm::Sampler::create(f.model);
    std::string again;
    std::size_t prompt = 0;
    done = f.ctx.generate(
        cache, &greedy, params,
        [&](int32_t, std::string_view piece) {
            again += piece;
            return again.size() < text.size(); /* stop at the same text */
        },
        [&](std::size_t part, std::size_t) { prompt = part; });
    CHECK(done.ok() && again.compare(0, text.size(), text) == 0 && prompt == 3);
    const auto stop = [](std::size_t, std::size_t) { return false; };
    auto cancelled = f.ctx.generate(
        cache, nullptr, params, [](int32_t, std::string_view) {}, stop);
    REFUSED(cancelled.status(), HLM_E_CANCELLED, "progress");
    CHECK(cancelled.status().sentence() == f.ctx.error());

    std::thread other([&] { f.ctx.cancel(); });
    other.join();
    REFUSED(f.ctx.decode(hlm::Step(cache, one_two_three)), HLM_E_CANCELLED, "");
}

void test_drafts(family &f)
{
    auto params = hlm::make<hlm_generate_params>();
    params.prompt = one_two_three.data();
    params.n_prompt = one_two_three.size();
    params.max_tokens = 30;
    params.ignore_eos = 1;
    std::vector<int32_t> plain, drafted;
    auto cache = *hlm::Cache::create(f.ctx.pool());
    CHECK(
        f.ctx.generate(cache, nullptr, params, [&](int32_t token, std::string_view) { plain.push_back(token); }).ok());
    auto drafter = *hlm::Context::create(f.model);
    auto drafts = hlm::make<hlm_speculation>();
    drafts.draft = drafter.get();
    drafts.fixed = 1;
    drafts.ngram = -1;
    params.speculation = &drafts;
    auto other = *hlm::Cache::create(f.ctx.pool());
    const auto done =
        f.ctx.generate(other, nullptr, params, [&](int32_t token, std::string_view) { drafted.push_back(token); });
    CHECK(done.ok() && drafted == plain && done->n_accepted > 0 && done->n_steps < 15);
}

#if defined(__cpp_exceptions)
template <class F> std::string thrown(F f)
{
    try {
        f();
    } catch (const std::exception &e) {
        return e.what();
    }
    return "nothing";
}

void test_exceptions(family &f)
{
    auto params = hlm::make<hlm_generate_params>();
    params.prompt = one_two_three.data();
    params.n_prompt = one_two_three.size();
    auto cache = *hlm::Cache::create(f.ctx.pool());
    CHECK(thrown([&] {
              (void)f.ctx.generate(cache, nullptr, params,
                                   [](int32_t, std::string_view) { throw std::runtime_error("in on_token"); });
          }) == "in on_token");
    CHECK(thrown([&] {
              (void)f.ctx.generate(
                  cache, nullptr, params, [](int32_t, std::string_view) {},
                  [](std::size_t, std::size_t) { throw std::runtime_error("in progress"); });
          }) == "in progress");
    CHECK(!logits(f, cache, one_two_three).empty()); /* the context is as good as new */
    CHECK(thrown([] { (void)hlm::unwrap(hlm::Model::load("none.gguf")); }).find("none.gguf") != std::string::npos);
    CHECK(hlm::unwrap(f.model.tokenize("x")).size() == 1);
    hlm::unwrap(f.cache.reserve(1));
}
#endif

void test_sizes(family &f)
{
    auto cache = *hlm::Cache::create(f.ctx.pool());
    const std::size_t vocab = f.model.vocab_size();
    for (const std::size_t wrong : {std::size_t{0}, vocab - 1, vocab + 1, 2 * vocab}) {
        std::vector<float> out(wrong);
        REFUSED(f.ctx.decode(hlm::Step(cache, one_two_three).logits(out)), HLM_E_ARG, "logits has");
    }
    std::vector<float> row(vocab), states(16);
    REFUSED(f.ctx.decode(hlm::Step(cache, one_two_three).all_logits(row)), HLM_E_ARG, "3 rows of 288");
    REFUSED(f.ctx.decode(hlm::Step(cache, one_two_three).hidden(0, states)), HLM_E_ARG, "hidden has 16");
    const std::vector<std::size_t> beyond = {7};
    REFUSED(f.ctx.decode(hlm::Step(cache, one_two_three).logits_of(beyond, row)), HLM_E_ARG, "rows");
    const std::vector<int32_t> foreign = {1, 288};
    REFUSED(f.ctx.decode(hlm::Step(cache, foreign)), HLM_E_TOKEN, "288");
    REFUSED(f.ctx.decode(hlm::Step(cache, {})), HLM_E_EMPTY, "");
    REFUSED(f.ctx.decode(hlm::Span<hlm::Step>()), HLM_E_EMPTY, "");
    REFUSED(f.ctx.score({}).status(), HLM_E_ARG, "NULL");
    hlm::Step twice[] = {{cache, one_two_three}, {cache, one_two_three}};
    REFUSED(f.ctx.decode(twice), HLM_E_BUSY, "");
    REFUSED(f.model.detokenize(foreign).status(), HLM_E_TOKEN, "288");
    REFUSED(f.model.chat_render(std::string("[]\0", 3)).status(), HLM_E_ARG, "zero byte");
    const std::vector<hlm::Message> cut = {{"user", "x"}, {"user", std::string("a\0b", 3)}};
    REFUSED(f.model.chat_render_messages(cut).status(), HLM_E_ARG, "messages[1].content has a zero byte at 1");
    REFUSED(f.model.chat_tokenize_messages(cut).status(), HLM_E_ARG, "messages[1].content has a zero byte at 1");
    REFUSED(f.model.chat_render_messages({{"user", "\xff"}}).status(), HLM_E_FORMAT, "messages[0].content is no UTF-8");
    REFUSED(hlm::Model::load(std::string("a\0b", 3)).status(), HLM_E_ARG, "zero byte");
    REFUSED(hlm::Model::load("no/such/file.gguf").status(), HLM_E_IO, "no/such/file.gguf");
    CHECK(cache.length() == 0);
}

/* Every call on a handle that was moved from: an error, or nothing. */
void test_moved(family &f)
{
    auto model = std::move(*hlm::Model::load("no/such/file.gguf"));
    CHECK(!model && model.vocab_size() == 0 && !model.token_ends(1) && !model.share());
    REFUSED(model.info().status(), HLM_E_ARG, "");
    REFUSED(model.tokenize("x").status(), HLM_E_ARG, "");
    REFUSED(model.detokenize(one_two_three).status(), HLM_E_ARG, "");
    REFUSED(model.chat_render("[]").status(), HLM_E_ARG, "");
    REFUSED(model.chat_template_text().status(), HLM_E_ARG, "");
    REFUSED(model.chat_render_messages({}).status(), HLM_E_ARG, "");
    REFUSED(model.memory_plan().status(), HLM_E_ARG, "");
    REFUSED(hlm::Context::create(model).status(), HLM_E_ARG, "");
    REFUSED(hlm::Pool::create(model).status(), HLM_E_ARG, "");
    REFUSED(hlm::Sampler::create(model).status(), HLM_E_ARG, "");
    REFUSED(hlm::TextStream::create(model).status(), HLM_E_ARG, "");

    auto cache = *hlm::Cache::create(f.ctx.pool());
    auto taken = std::move(cache);
    CHECK(taken && !cache && cache.length() == 0); // NOLINT: that is the point
    REFUSED(cache.fork().status(), HLM_E_ARG, "");
    REFUSED(cache.rewind(0).status(), HLM_E_ARG, "");
    REFUSED(cache.save().status(), HLM_E_ARG, "");
    REFUSED(cache.save("x"), HLM_E_ARG, "");
    REFUSED(cache.tokens().status(), HLM_E_ARG, "");
    REFUSED(cache.mark(), HLM_E_ARG, "");
    REFUSED(cache.unmark(0), HLM_E_ARG, "");
    REFUSED(cache.marks().status(), HLM_E_ARG, "");
    REFUSED(cache.reserve(1), HLM_E_ARG, "");
    REFUSED(f.ctx.decode(hlm::Step(cache, one_two_three)), HLM_E_ARG, "");
    cache = std::move(taken);
    CHECK(cache && !taken); // NOLINT

    hlm::Context none;
    std::vector<float> row(f.model.vocab_size());
    none.cancel();
    CHECK(!none.pool());
    CHECK(std::strcmp(none.error(), "") == 0);
    REFUSED(none.pool().usage().status(), HLM_E_ARG, "");
    REFUSED(none.decode(hlm::Step(cache, one_two_three).logits(row)), HLM_E_ARG, "");
    REFUSED(none.embed(one_two_three).status(), HLM_E_ARG, "");
    REFUSED(none.score_labels(one_two_three, one_two_three).status(), HLM_E_ARG, "");
    REFUSED(cache.state(9, 9).status(), HLM_E_ARG, "");
    REFUSED(none.score(one_two_three).status(), HLM_E_ARG, "");
    const auto ignore = [](int32_t, std::string_view) {};
    REFUSED(none.generate(cache, nullptr, hlm::make<hlm_generate_params>(), ignore).status(), HLM_E_ARG, "");
    REFUSED(hlm::Cache::create(none.pool()).status(), HLM_E_ARG, "");
    hlm::Sampler sampler;
    REFUSED(sampler.sample(row).status(), HLM_E_ARG, "");
    REFUSED(sampler.accept(1), HLM_E_ARG, "");
    REFUSED(sampler.fork().status(), HLM_E_ARG, "");
    hlm::TextStream stream;
    REFUSED(stream.push(1).status(), HLM_E_ARG, "");
    REFUSED(stream.finish().status(), HLM_E_ARG, "");
}

/* Children outlive parents; each order of two bits picks who goes first. */
void test_lifetimes(const char *path)
{
    for (unsigned order = 0; order < 16; order++) {
        family f = new_family(path);
        logits(f, f.cache, one_two_three);
        auto fork = *f.cache.fork();
        auto pool = f.ctx.pool();
        if (order & 1) f.model.reset();
        if (order & 2) f.ctx.reset();
        if (order & 4) f.cache.reset();
        if (order & 8) pool.reset();
        CHECK(fork.length() == 3 && fork.fork(1)->length() == 1);
        f.ctx = hlm::Context();
        f.model = hlm::Model();
        CHECK(*fork.tokens() == one_two_three);
    }
}

/* Two calls at once on a context: the second, made from the executor of the first, is told so. */
struct meanwhile {
    hlm_context *ctx;
    hlm_status second;
};

int32_t run_all(void *user, std::size_t n, hlm_task *task, void *arg)
{
    auto *m = static_cast<meanwhile *>(user);
    std::thread other([m] {
        const int32_t tokens[] = {1, 2};
        auto text = hlm::make<hlm_score_params>();
        text.tokens = tokens;
        text.n_tokens = 2;
        m->second = hlm_score(m->ctx, &text, nullptr);
    });
    other.join();
    for (std::size_t i = 0; i < n; i++) task(arg, i);
    return 0;
}

void test_two_threads(const family &f)
{
    meanwhile m = {nullptr, HLM_OK};
    auto executor = hlm::make<hlm_executor>();
    executor.user = &m;
    executor.parallel_for = run_all;
    auto params = hlm::make<hlm_ctx_params>();
    params.n_threads = 1;
    params.executor = &executor;
    auto ctx = *hlm::Context::create(f.model, &params);
    m.ctx = ctx.get();
    CHECK(ctx.score(one_two_three).ok());
    CHECK(m.second == HLM_E_BUSY);
}

} // namespace

int main(int argc, char **argv)
{
    if (argc != 2) return 2;
    program = argv[0];
    family f = new_family(argv[1]);
    if (!f.cache) {
        std::printf("no model in %s\n0 passed, 1 failed\n", argv[1]);
        return 1;
    }
    test_text(f);
    test_state(f);
    test_adapters(f);
    test_rows_in_and_out(f);
    test_sampler(f);
    f = new_family(argv[1]);
    test_generate(f);
    test_drafts(f);
#if defined(__cpp_exceptions)
    test_exceptions(f);
#endif
    test_sizes(f);
    test_moved(f);
    test_lifetimes(argv[1]);
    test_two_threads(f);
    std::printf("%d passed, %d failed\n", passed, failed);
    return failed ? 1 : 0;
}
