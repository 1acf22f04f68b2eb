/* libhybridlm for C++17: handles that free themselves, results that carry their error. A thin layer over hybridlm.h,
 * which stays the manual; parameters and results are its structs.
 *
 *  - Handles move and do not copy; Model, Adapter and Pool have share(), for they are reference counted. They may be
 *    destroyed in any order. Every call on an empty handle (moved from, or of a failed result) is HLM_E_ARG.
 *  - Status and Result<T> tell how a call went; a failed Result holds an empty T. Nothing here throws but what the
 *    standard library throws when memory ends, and it compiles with -fno-exceptions and -fno-rtti. Where there are
 *    exceptions, unwrap() turns a failure into one, and one thrown by a callback comes out at the call that it is for,
 *    past the library and not through it.
 *  - Threads are as in hybridlm.h: models, adapters and pools are shared freely, all else is used by one call at a
 *    time. */
#ifndef HYBRIDLM_HPP
#define HYBRIDLM_HPP

#include <cstddef>
#include <cstdint>
#include <exception>
#include <initializer_list>
#include <iterator>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>
#include <vector>
#if defined(__cpp_exceptions)
#  include <stdexcept>
#endif

#include <hybridlm/hybridlm.h>

namespace hlm
{

/* ---- results -------------------------------------------------------------- */

/** How a call went: a code for programs and, of a failure, a sentence for people. */
class [[nodiscard]] Status
{
  public:
    Status() = default;
    Status(hlm_status code, std::string sentence) : code_(code), sentence_(std::move(sentence))
    {
    }

    /** Of the call that has just returned `code` on this thread. */
    static Status of(hlm_status code)
    {
        return code == HLM_OK ? Status() : Status(code, hlm_last_error());
    }

    bool ok() const noexcept
    {
        return code_ == HLM_OK;
    }
    explicit operator bool() const noexcept
    {
        return ok();
    }
    hlm_status code() const noexcept
    {
        return code_;
    }
    const char *name() const noexcept
    {
        return hlm_status_name(code_);
    }
    const std::string &sentence() const noexcept
    {
        return sentence_;
    }

  private:
    hlm_status code_ = HLM_OK;
    std::string sentence_;
};

/** A value, or why there is none; then the value is an empty one. */
template <class T> class [[nodiscard]] Result
{
  public:
    Result(T value) : value_(std::move(value))
    {
    }
    Result(Status status) : status_(std::move(status))
    {
    }

    bool ok() const noexcept
    {
        return status_.ok();
    }
    explicit operator bool() const noexcept
    {
        return ok();
    }
    const Status &status() const noexcept
    {
        return status_;
    }
    T &operator*() &noexcept
    {
        return value_;
    }
    const T &operator*() const &noexcept
    {
        return value_;
    }
    T &&operator*() &&noexcept
    {
        return std::move(value_);
    }
    T *operator->() noexcept
    {
        return &value_;
    }
    const T *operator->() const noexcept
    {
        return &value_;
    }

  private:
    T value_{};
    Status status_;
};

#if defined(__cpp_exceptions)
/** A failure as an exception, for those who want one. */
class Error : public std::runtime_error
{
  public:
    explicit Error(const Status &status) : std::runtime_error(status.sentence()), code_(status.code())
    {
    }
    hlm_status code() const noexcept
    {
        return code_;
    }

  private:
    hlm_status code_;
};

/** The value, or an Error thrown. */
template <class T> T unwrap(Result<T> result)
{
    if (!result.ok()) throw Error(result.status());
    return std::move(*result);
}
inline void unwrap(const Status &status)
{
    if (!status.ok()) throw Error(status);
}
#endif

/** A parameter or result struct of hybridlm.h: all defaults. */
template <class T> T make() noexcept
{
    T params{};
    params.struct_size = sizeof params;
    return params;
}

/** Elements of somebody else's: what C++20 calls std::span. */
template <class T> class Span
{
  public:
    constexpr Span() noexcept = default;
    constexpr Span(T *data, std::size_t size) noexcept : data_(data), size_(size)
    {
    }
    /** A vector, an array, a string, another span. Of a temporary only as an argument. */
    template <class C,
              class = std::enable_if_t<std::is_convertible_v<
                  std::remove_pointer_t<decltype(std::data(std::declval<C &>()))> (*)[], T (*)[]>>>
    constexpr Span(C &&of) noexcept : data_(std::data(of)), size_(std::size(of))
    {
    }
    constexpr T *data() const noexcept
    {
        return data_;
    }
    constexpr std::size_t size() const noexcept
    {
        return size_;
    }
    constexpr T *begin() const noexcept
    {
        return data_;
    }
    constexpr T *end() const noexcept
    {
        return data_ + size_;
    }
    constexpr T &operator[](std::size_t i) const noexcept
    {
        return data_[i];
    }

  private:
    T *data_ = nullptr;
    std::size_t size_ = 0;
};

namespace detail
{

template <class Raw, void (*Close)(Raw *)> class Handle
{
  public:
    Handle() noexcept = default;
    /** Takes over what `raw` owns. */
    explicit Handle(Raw *raw) noexcept : raw_(raw)
    {
    }
    Handle(Handle &&from) noexcept : raw_(std::exchange(from.raw_, nullptr))
    {
    }
    Handle &operator=(Handle &&from) noexcept
    {
        if (this != &from) reset(std::exchange(from.raw_, nullptr));
        return *this;
    }
    Handle(const Handle &) = delete;
    Handle &operator=(const Handle &) = delete;
    ~Handle()
    {
        Close(raw_);
    }

    /** Borrowed; NULL for an empty handle. */
    Raw *get() const noexcept
    {
        return raw_;
    }
    explicit operator bool() const noexcept
    {
        return raw_ != nullptr;
    }
    void reset(Raw *raw = nullptr) noexcept
    {
        Close(std::exchange(raw_, raw));
    }
    /** Gives away what it owns. */
    [[nodiscard]] Raw *release() noexcept
    {
        return std::exchange(raw_, nullptr);
    }

  private:
    Raw *raw_ = nullptr;
};

/** Output of unknown size: call(out, cap, &n) again with the size it asks for. */
template <class Out, class Call> Result<Out> sized(std::size_t guess, Call &&call)
{
    Out out;
    out.resize(guess);
    for (;;) {
        std::size_t n = 0;
        const hlm_status code = call(out.data(), out.size(), &n);
        if (code == HLM_E_SPACE && n > out.size()) {
            out.resize(n);
            continue;
        }
        if (code != HLM_OK) return Status::of(code);
        out.resize(n);
        return out;
    }
}

/** C strings end at a zero byte, so what is behind one would be lost in silence. */
inline Status check_text(const char *what, const std::string &text)
{
    const std::size_t at = text.find('\0');
    if (at == std::string::npos) return Status();
    return Status(HLM_E_ARG, std::string(what) + " has a zero byte at " + std::to_string(at));
}

/** f(), which must not throw through C: what it throws goes to `caught`, and the result is `stop`. */
template <class R, class F> R guarded(std::exception_ptr &caught, R stop, F &&f)
{
#if defined(__cpp_exceptions)
    if (caught) return stop;
    try {
        return f();
    } catch (...) {
        caught = std::current_exception();
        return stop;
    }
#else
    (void)caught;
    (void)stop;
    return f();
#endif
}

inline void rethrow(const std::exception_ptr &caught)
{
    if (caught) std::rethrow_exception(caught);
}

/** A callback's answer: 0 is go on. It may return true to go on and false to stop, or nothing. */
template <class F, class... Args> int32_t answer(F &f, Args... args)
{
    if constexpr (std::is_void_v<decltype(f(args...))>) {
        f(args...);
        return 0;
    } else {
        return f(args...) ? 0 : 1;
    }
}

} // namespace detail

/* ---- model ------------------------------------------------------------------ */

/** A message of a conversation; markers that its content spells are plain text. */
struct Message {
    std::string role, content;
};

namespace detail
{

/** Messages as C takes them, which would end at a zero byte. */
inline Status c_messages(Span<const Message> messages, std::vector<hlm_message> &out)
{
    for (const Message &m : messages) {
        const std::string where = "messages[" + std::to_string(out.size()) + "].";
        if (Status st = check_text((where + "role").c_str(), m.role); !st) return st;
        if (Status st = check_text((where + "content").c_str(), m.content); !st) return st;
        out.push_back({m.role.c_str(), m.content.c_str()});
    }
    return Status();
}

} // namespace detail

/** Messages of a conversation as the JSON that Model::chat_tokenize takes. */
inline std::string messages_json(std::initializer_list<std::pair<std::string_view, std::string_view>> messages)
{
    std::string json = "[";
    const auto add = [&json](std::string_view text) {
        const char *const hex = "0123456789abcdef";
        json += '"';
        for (const char c : text) {
            const auto byte = static_cast<unsigned char>(c);
            if (byte < 0x20) {
                json += "\\u00";
                json += hex[byte >> 4];
                json += hex[byte & 15];
                continue;
            }
            if (c == '"' || c == '\\') json += '\\';
            json += c;
        }
        json += '"';
    };
    for (const auto &[role, content] : messages) {
        json += json.size() == 1 ? "{\"role\":" : ",{\"role\":";
        add(role);
        json += ",\"content\":";
        add(content);
        json += '}';
    }
    return json + "]";
}

/** Weights, tokenizer, layer plan: immutable, shared freely among threads. */
class Model : public detail::Handle<hlm_model, hlm_model_release>
{
  public:
    using Handle::Handle;

    static Result<Model> load(const std::string &path, const hlm_model_params *params = nullptr)
    {
        if (Status st = detail::check_text("the path", path); !st) return st;
        hlm_model *raw = nullptr;
        const hlm_status code = hlm_model_load(&raw, path.c_str(), params);
        if (code != HLM_OK) return Status::of(code);
        return Model(raw);
    }
    static Result<Model> load(const hlm_vfs &vfs, const std::string &path, const hlm_model_params *params = nullptr)
    {
        auto from = params ? *params : make<hlm_model_params>();
        from.vfs = &vfs;
        return load(path, &from);
    }

    /** The same model once more. */
    Model share() const noexcept
    {
        hlm_model_retain(get());
        return Model(get());
    }
    /** The strings live as long as the model. */
    Result<hlm_model_info> info() const
    {
        auto out = make<hlm_model_info>();
        const hlm_status code = hlm_model_info_get(get(), &out);
        if (code != HLM_OK) return Status::of(code);
        return out;
    }
    /** Name of a class of a classification head, or NULL. */
    const char *label(int32_t i) const noexcept
    {
        return hlm_model_label(get(), i);
    }
    /** 0 of an empty handle. */
    std::size_t vocab_size() const
    {
        return static_cast<std::size_t>(info()->vocab_size);
    }
    bool token_ends(int32_t token) const noexcept
    {
        return hlm_model_token_ends(get(), token) != 0;
    }
    Result<hlm_memory_plan_info> memory_plan(const hlm_plan_params *params = nullptr) const
    {
        auto out = make<hlm_memory_plan_info>();
        const hlm_status code = hlm_model_plan_memory(get(), params, &out);
        if (code != HLM_OK) return Status::of(code);
        return out;
    }

    /** flags: HLM_TOKENIZE_... */
    Result<std::vector<int32_t>> tokenize(std::string_view text, uint32_t flags = 0) const
    {
        return detail::sized<std::vector<int32_t>>(
            text.size() / 2 + 8, [&](int32_t *out, std::size_t cap, std::size_t *n) {
                return hlm_tokenize(get(), text.data(), text.size(), flags, out, cap, n);
            });
    }
    /** flags: HLM_DETOKENIZE_... */
    Result<std::string> detokenize(Span<const int32_t> tokens, uint32_t flags = 0) const
    {
        return detail::sized<std::string>(tokens.size() * 8, [&](char *out, std::size_t cap, std::size_t *n) {
            return hlm_detokenize(get(), tokens.data(), tokens.size(), flags, out, cap, n);
        });
    }
    Result<std::string> chat_render(const std::string &messages, const hlm_chat_params *params = nullptr) const
    {
        if (Status st = detail::check_text("the messages", messages); !st) return st;
        return detail::sized<std::string>(messages.size() * 2, [&](char *out, std::size_t cap, std::size_t *n) {
            return hlm_chat_render(get(), messages.c_str(), params, out, cap, n);
        });
    }
    Result<std::vector<int32_t>> chat_tokenize(const std::string &messages,
                                               const hlm_chat_params *params = nullptr) const
    {
        if (Status st = detail::check_text("the messages", messages); !st) return st;
        return detail::sized<std::vector<int32_t>>(messages.size(), [&](int32_t *out, std::size_t cap, std::size_t *n) {
            return hlm_chat_tokenize(get(), messages.c_str(), params, out, cap, n);
        });
    }
    /** The template's text. */
    Result<std::string> chat_template_text(const hlm_chat_params *params = nullptr) const
    {
        return detail::sized<std::string>(4096, [&](char *out, std::size_t cap, std::size_t *n) {
            return hlm_chat_template_text(get(), params, out, cap, n);
        });
    }
    /** The same without JSON: messages as a vector, or {{"user", question}}. */
    Result<std::string> chat_render_messages(Span<const Message> messages,
                                             const hlm_chat_params *params = nullptr) const
    {
        std::vector<hlm_message> c;
        if (Status st = detail::c_messages(messages, c); !st) return st;
        return detail::sized<std::string>(256, [&](char *out, std::size_t cap, std::size_t *n) {
            return hlm_chat_render_messages(get(), c.data(), c.size(), params, out, cap, n);
        });
    }
    Result<std::string> chat_render_messages(std::initializer_list<Message> messages,
                                             const hlm_chat_params *params = nullptr) const
    {
        return chat_render_messages(Span<const Message>(messages.begin(), messages.size()), params);
    }
    Result<std::vector<int32_t>> chat_tokenize_messages(Span<const Message> messages,
                                                        const hlm_chat_params *params = nullptr) const
    {
        std::vector<hlm_message> c;
        if (Status st = detail::c_messages(messages, c); !st) return st;
        return detail::sized<std::vector<int32_t>>(256, [&](int32_t *out, std::size_t cap, std::size_t *n) {
            return hlm_chat_tokenize_messages(get(), c.data(), c.size(), params, out, cap, n);
        });
    }
    Result<std::vector<int32_t>> chat_tokenize_messages(std::initializer_list<Message> messages,
                                                        const hlm_chat_params *params = nullptr) const
    {
        return chat_tokenize_messages(Span<const Message>(messages.begin(), messages.size()), params);
    }
};

/* ---- adapters ---------------------------------------------------------------- */

/** What is added to matrices of a model for the steps that name it (LoRA, DoRA): immutable, shared freely among
 *  threads. */
class Adapter : public detail::Handle<hlm_adapter, hlm_adapter_release>
{
  public:
    using Handle::Handle;

    static Result<Adapter> load(const Model &model, const std::string &path, const hlm_adapter_params *params = nullptr)
    {
        if (Status st = detail::check_text("the path", path); !st) return st;
        hlm_adapter *raw = nullptr;
        const hlm_status code = hlm_adapter_load(&raw, model.get(), path.c_str(), params);
        if (code != HLM_OK) return Status::of(code);
        return Adapter(raw);
    }
    /** Several of one model as one, whose effects are added. */
    static Result<Adapter> join(Span<const Adapter> adapters)
    {
        std::vector<const hlm_adapter *> parts;
        for (const Adapter &adapter : adapters) parts.push_back(adapter.get());
        hlm_adapter *raw = nullptr;
        const hlm_status code = hlm_adapter_join(&raw, parts.data(), parts.size());
        if (code != HLM_OK) return Status::of(code);
        return Adapter(raw);
    }

    /** The same adapter once more. */
    Adapter share() const noexcept
    {
        hlm_adapter_retain(get());
        return Adapter(get());
    }
    Result<hlm_adapter_info> info() const
    {
        auto out = make<hlm_adapter_info>();
        const hlm_status code = hlm_adapter_info_get(get(), &out);
        if (code != HLM_OK) return Status::of(code);
        return out;
    }
};

/* ---- pool and cache ----------------------------------------------------------- */

/** Pages of one model, shared freely among threads. */
class Pool : public detail::Handle<hlm_pool, hlm_pool_release>
{
  public:
    using Handle::Handle;

    static Result<Pool> create(const Model &model, const hlm_pool_params *params = nullptr)
    {
        hlm_pool *raw = nullptr;
        const hlm_status code = hlm_pool_new(&raw, model.get(), params);
        if (code != HLM_OK) return Status::of(code);
        return Pool(raw);
    }
    /** The same pool once more. */
    Pool share() const noexcept
    {
        hlm_pool_retain(get());
        return Pool(get());
    }
    /** Make an adapter known before a step runs with it, for snapshots and texts of the prefix cache that are to be
     *  loaded. */
    Status adapt(const Adapter &adapter)
    {
        return Status::of(hlm_pool_adapt(get(), adapter.get()));
    }
    struct Usage {
        uint64_t used = 0;
        uint64_t held = 0;
    };
    Result<Usage> usage() const
    {
        auto out = make<hlm_pool_info>();
        const hlm_status code = hlm_pool_info_get(get(), &out);
        if (code != HLM_OK) return Status::of(code);
        return Usage{out.used_bytes, out.held_bytes};
    }
    /** What the prefix cache holds, and how much it was of use. */
    Result<hlm_prefix_info> prefix_info() const
    {
        auto out = make<hlm_prefix_info>();
        const hlm_status code = hlm_prefix_info_get(get(), &out);
        if (code != HLM_OK) return Status::of(code);
        return out;
    }
    /** Save the texts of the prefix cache in a folder. */
    Status prefix_save(const std::string &folder)
    {
        if (Status st = detail::check_text("the folder", folder); !st) return st;
        return Status::of(hlm_prefix_save(get(), folder.c_str()));
    }
    /** Add the texts of such a folder; how many were damaged, or of another model. */
    Result<std::size_t> prefix_load(const std::string &folder, uint32_t flags = 0)
    {
        if (Status st = detail::check_text("the folder", folder); !st) return st;
        std::size_t refused = 0;
        const hlm_status code = hlm_prefix_load(get(), folder.c_str(), flags, &refused);
        if (code != HLM_OK) return Status::of(code);
        return refused;
    }
    /** Forget all texts of the prefix cache. */
    Status prefix_clear()
    {
        return Status::of(hlm_prefix_clear(get()));
    }
};

/** The state of one sequence. */
class Cache : public detail::Handle<hlm_cache, hlm_cache_free>
{
  public:
    using Handle::Handle;

    static Result<Cache> create(const Pool &pool, const hlm_cache_params *params = nullptr)
    {
        hlm_cache *raw = nullptr;
        const hlm_status code = hlm_cache_new(&raw, pool.get(), params);
        if (code != HLM_OK) return Status::of(code);
        return Cache(raw);
    }
    /** A sequence from a snapshot; flags: HLM_SNAPSHOT_... */
    static Result<Cache> load(const Pool &pool, const std::string &path, uint32_t flags = 0)
    {
        if (Status st = detail::check_text("the path", path); !st) return st;
        hlm_cache *raw = nullptr;
        const hlm_status code = hlm_cache_load(&raw, pool.get(), path.c_str(), flags);
        if (code != HLM_OK) return Status::of(code);
        return Cache(raw);
    }
    /** The same from memory. */
    static Result<Cache> load(const Pool &pool, Span<const uint8_t> bytes, uint32_t flags = 0)
    {
        hlm_cache *raw = nullptr;
        const hlm_status code = hlm_cache_load_memory(&raw, pool.get(), bytes.data(), bytes.size(), flags);
        if (code != HLM_OK) return Status::of(code);
        return Cache(raw);
    }
    /** Writes a snapshot: the file has what it had, or all of the new. */
    Status save(const std::string &path) const
    {
        if (Status st = detail::check_text("the path", path); !st) return st;
        return Status::of(hlm_cache_save(get(), path.c_str()));
    }
    /** A snapshot in memory. */
    Result<std::vector<uint8_t>> save() const
    {
        return detail::sized<std::vector<uint8_t>>(0, [&](uint8_t *out, std::size_t cap, std::size_t *n) {
            return hlm_cache_save_memory(get(), out, cap, n);
        });
    }
    /** A second sequence that begins with the first `at` tokens; pages are shared until one of the two writes. */
    Result<Cache> fork(int64_t at = HLM_NOW) const
    {
        hlm_cache *raw = nullptr;
        const hlm_status code = hlm_cache_fork(&raw, get(), at);
        if (code != HLM_OK) return Status::of(code);
        return Cache(raw);
    }
    /** Forgets the tokens from `pos` on; how many before it the next step recomputes. */
    Result<int64_t> rewind(int64_t pos)
    {
        int64_t pending = 0;
        const hlm_status code = hlm_cache_rewind(get(), pos, &pending);
        if (code != HLM_OK) return Status::of(code);
        return pending;
    }
    struct Reuse {
        std::size_t reused = 0, pending = 0;
    };
    /** Go to the longest beginning of a text that this or the pool's prefix cache holds: the tokens from `reused` on
     *  are to be run, and `pending` tokens before them are computed again. */
    Result<Reuse> reuse(Span<const int32_t> tokens)
    {
        return reuse(tokens, static_cast<const hlm_adapter *>(nullptr));
    }
    /** The same for a text that is run with an adapter. */
    Result<Reuse> reuse(Span<const int32_t> tokens, const Adapter &adapter)
    {
        if (!adapter) return Status(HLM_E_ARG, "reuse: the adapter is empty");
        return reuse(tokens, adapter.get());
    }
    /** Let the pool's prefix cache remember this text. */
    Status prefix_add()
    {
        return Status::of(hlm_prefix_add(get()));
    }
    /** Tokens before the end that the next step recomputes first, after a rewind or a fork to an earlier position. */
    int64_t pending() const noexcept
    {
        return hlm_cache_pending(get());
    }
    /** Keeps the state at the present position: rewind and fork to it cost nothing. */
    Status mark()
    {
        return Status::of(hlm_cache_mark(get()));
    }
    Status unmark(int64_t pos)
    {
        return Status::of(hlm_cache_unmark(get(), pos));
    }
    /** The positions of all marks, ascending. */
    Result<std::vector<int64_t>> marks() const
    {
        return detail::sized<std::vector<int64_t>>(
            8, [&](int64_t *out, std::size_t cap, std::size_t *n) { return hlm_cache_marks(get(), out, cap, n); });
    }
    int64_t length() const noexcept
    {
        return hlm_cache_length(get());
    }
    Result<std::vector<int32_t>> tokens() const
    {
        std::vector<int32_t> out(static_cast<std::size_t>(length()));
        const hlm_status code = hlm_cache_tokens(get(), 0, out.size(), out.data());
        if (code != HLM_OK) return Status::of(code);
        return out;
    }
    /** A layer's recurrent state, which: HLM_STATE_...; empty for a layer without one. */
    Result<std::vector<float>> state(int32_t layer, int32_t which) const
    {
        std::size_t n = 0;
        hlm_status code = hlm_cache_state(get(), layer, which, nullptr, 0, &n);
        std::vector<float> out(code == HLM_OK ? n : 0);
        if (!out.empty()) code = hlm_cache_state(get(), layer, which, out.data(), out.size(), &n);
        if (code != HLM_OK) return Status::of(code);
        return out;
    }
    Status reserve(int64_t n_tokens)
    {
        return Status::of(hlm_cache_reserve(get(), n_tokens));
    }

  private:
    Result<Reuse> reuse(Span<const int32_t> tokens, const hlm_adapter *adapter)
    {
        auto params = make<hlm_reuse_params>();
        params.tokens = tokens.data();
        params.n_tokens = tokens.size();
        params.adapter = adapter;
        Reuse out;
        const hlm_status code = hlm_cache_reuse(get(), &params, &out.reused, &out.pending);
        if (code != HLM_OK) return Status::of(code);
        return out;
    }
};

/* ---- text and sampling ---------------------------------------------------------- */

/** Text of one token after another, whole characters. A piece is valid until the next call. */
class TextStream : public detail::Handle<hlm_text_stream, hlm_text_stream_free>
{
  public:
    using Handle::Handle;

    static Result<TextStream> create(const Model &model, uint32_t flags = 0)
    {
        hlm_text_stream *raw = nullptr;
        const hlm_status code = hlm_text_stream_new(&raw, model.get(), flags);
        if (code != HLM_OK) return Status::of(code);
        return TextStream(raw);
    }
    Result<std::string_view> push(int32_t token)
    {
        const char *text = nullptr;
        std::size_t len = 0;
        const hlm_status code = hlm_text_stream_push(get(), token, &text, &len);
        if (code != HLM_OK) return Status::of(code);
        return std::string_view(text, len);
    }
    /** Go on behind these tokens, as Cache::tokens gives them. */
    Status begin(Span<const int32_t> tokens)
    {
        return Status::of(hlm_text_stream_begin(get(), tokens.data(), tokens.size()));
    }
    /** The end of the tokens, but not of the text: without what later tokens may change. */
    Result<std::string_view> cut()
    {
        const char *text = nullptr;
        std::size_t len = 0;
        const hlm_status code = hlm_text_stream_cut(get(), &text, &len);
        if (code != HLM_OK) return Status::of(code);
        return std::string_view(text, len);
    }
    Result<std::string_view> finish()
    {
        const char *text = nullptr;
        std::size_t len = 0;
        const hlm_status code = hlm_text_stream_finish(get(), &text, &len);
        if (code != HLM_OK) return Status::of(code);
        return std::string_view(text, len);
    }
};

/** A chain of samplers and its random state. */
class Sampler : public detail::Handle<hlm_sampler, hlm_sampler_free>
{
  public:
    using Handle::Handle;

    static Result<Sampler> create(const Model &model, const hlm_sampler_params *params = nullptr)
    {
        hlm_sampler *raw = nullptr;
        const hlm_status code = hlm_sampler_new(&raw, model.get(), params);
        if (code != HLM_OK) return Status::of(code);
        return Sampler(raw, model.vocab_size());
    }
    Result<Sampler> fork() const
    {
        hlm_sampler *raw = nullptr;
        const hlm_status code = hlm_sampler_fork(&raw, get());
        if (code != HLM_OK) return Status::of(code);
        return Sampler(raw, vocab_);
    }
    /** logits: as many as the vocabulary has tokens. */
    Result<int32_t> sample(Span<const float> logits)
    {
        if (get() && logits.size() != vocab_)
            return Status(HLM_E_ARG,
                          "sample: " + std::to_string(logits.size()) + " logits, " + std::to_string(vocab_) +
                              " tokens");
        int32_t token = 0;
        const hlm_status code = hlm_sampler_sample(get(), logits.data(), &token);
        if (code != HLM_OK) return Status::of(code);
        return token;
    }
    Status accept(int32_t token)
    {
        return Status::of(hlm_sampler_accept(get(), token));
    }

  private:
    Sampler(hlm_sampler *raw, std::size_t vocab) noexcept : Handle(raw), vocab_(vocab)
    {
    }
    std::size_t vocab_ = 0;
};

/* ---- context ---------------------------------------------------------------------- */

/** New tokens for one sequence. What it points to must live until the step has run. */
class Step
{
  public:
    Step(const Cache &cache, Span<const int32_t> tokens) : Step(cache)
    {
        raw_.tokens = tokens.data();
        raw_.n_tokens = tokens.size();
    }
    /** Rows that the first layer reads in place of tokens: [tokens, hidden_size]. */
    static Step embeddings(const Cache &cache, Span<const float> rows)
    {
        Step step(cache);
        step.raw_.embeddings = rows.data();
        step.embeddings_size_ = rows.size();
        return step;
    }
    /** Logits of the last token: [vocab], or [n_labels] of a classification head. */
    Step &logits(Span<float> out)
    {
        return rows(HLM_ROWS_LAST, {}, out);
    }
    /** Logits of all tokens, one row after another. */
    Step &all_logits(Span<float> out)
    {
        return rows(HLM_ROWS_ALL, {}, out);
    }
    /** Logits of the tokens with these indices, ascending. */
    Step &logits_of(Span<const std::size_t> indices, Span<float> out)
    {
        return rows(HLM_ROWS_LIST, indices, out);
    }
    /** Hidden states of all tokens, layer and kind as in hlm_hidden: [tokens, hlm_model_hidden_width]. */
    Step &hidden(int32_t layer, Span<float> out, int32_t kind = HLM_HIDDEN_STREAM)
    {
        hidden_.add(layer, out);
        hidden_.list.back().kind = kind;
        return *this;
    }
    /** What the tokens are run with; without, the model alone. */
    Step &adapter(const Adapter &with)
    {
        raw_.adapter = with.get();
        empty_adapter_ = !with;
        return *this;
    }
    /** Attention weights of all tokens: [n_heads, tokens, length of the cache after the step]. */
    Step &attention(int32_t layer, Span<float> out)
    {
        attention_.add(layer, out);
        return *this;
    }

  private:
    friend class Context;

    explicit Step(const Cache &cache)
    {
        raw_.cache = cache.get();
    }

    /** hlm_hidden or hlm_attention: requests, how much they have room for, pointers to them. */
    template <class Request> struct Requests {
        std::vector<Request> list;
        std::vector<std::size_t> sizes;
        std::vector<const Request *> pointers;

        void add(int32_t layer, Span<float> out)
        {
            auto request = make<Request>();
            request.layer = layer;
            request.out = out.data();
            list.push_back(request);
            sizes.push_back(out.size());
        }
        void point()
        {
            pointers.clear();
            for (const Request &request : list) pointers.push_back(&request);
        }
    };

    Step &rows(int32_t which, Span<const std::size_t> indices, Span<float> out)
    {
        raw_.logit_rows = which;
        raw_.rows = indices.data();
        raw_.n_rows = indices.size();
        raw_.logits = out.data();
        logits_size_ = out.size();
        wants_logits_ = true;
        return *this;
    }

    static Status check_size(const char *what, std::size_t index, std::size_t n_rows, std::size_t width,
                             std::size_t size)
    {
        if (n_rows == 0 ? size == 0 : size % n_rows == 0 && size / n_rows == width) return Status();
        return Status(HLM_E_ARG,
                      "decode: steps[" + std::to_string(index) + "]: " + what + " has " + std::to_string(size) +
                          " numbers, " + std::to_string(n_rows) + " rows of " + std::to_string(width) + " are needed");
    }

    static std::size_t hidden_width(int32_t kind, const std::size_t (&widths)[3]) noexcept
    {
        return kind >= 0 && kind < 3 ? widths[kind] : 0; /* of another kind the library says that it is none */
    }

    /** Whether what it reads and writes is as long as it has to be. */
    Status check(std::size_t index, const hlm_model_info &info, const std::size_t (&widths)[3]) const
    {
        const auto size = [](int32_t n) { return static_cast<std::size_t>(n); };
        const std::size_t n = raw_.n_tokens, width = size(info.hidden_size);
        Status st;
        if (empty_adapter_)
            st = Status(HLM_E_ARG, "decode: steps[" + std::to_string(index) + "]: the adapter is empty");
        if (raw_.embeddings && st) st = check_size("embeddings", index, n, width, embeddings_size_);
        if (wants_logits_ && st) {
            const std::size_t rows = raw_.logit_rows == HLM_ROWS_LAST ? 1
                : raw_.logit_rows == HLM_ROWS_ALL                     ? n
                                                                      : raw_.n_rows;
            st = check_size("logits", index, rows, size(info.head == HLM_HEAD_TEXT ? info.vocab_size : info.n_labels),
                            logits_size_);
        }
        for (std::size_t i = 0; i < hidden_.sizes.size() && st; i++)
            st = check_size("hidden", index, n, hidden_width(hidden_.list[i].kind, widths), hidden_.sizes[i]);
        const std::size_t length = static_cast<std::size_t>(hlm_cache_length(raw_.cache)) + n;
        for (std::size_t i = 0; i < attention_.sizes.size() && st; i++)
            st = check_size("attention", index, size(info.n_heads) * n, length, attention_.sizes[i]);
        return st;
    }

    /** Makes the raw step whole, if it is right. Its pointers hold until the step is moved or changed. */
    Status prepare(std::size_t index, const hlm_model_info &info, const std::size_t (&widths)[3])
    {
        if (raw_.embeddings && info.hidden_size > 0)
            raw_.n_tokens = embeddings_size_ / static_cast<std::size_t>(info.hidden_size);
        hidden_.point();
        raw_.hidden = hidden_.pointers.data();
        raw_.n_hidden = hidden_.pointers.size();
        attention_.point();
        raw_.attention = attention_.pointers.data();
        raw_.n_attention = attention_.pointers.size();
        return check(index, info, widths);
    }

    hlm_step raw_ = make<hlm_step>();
    std::size_t embeddings_size_ = 0;
    std::size_t logits_size_ = 0;
    bool wants_logits_ = false;
    bool empty_adapter_ = false;
    Requests<hlm_hidden> hidden_;
    Requests<hlm_attention> attention_;
};

/** What it takes to compute. */
class Context : public detail::Handle<hlm_context, hlm_ctx_free>
{
  public:
    using Handle::Handle;

    static Result<Context> create(const Model &model, const hlm_ctx_params *params = nullptr)
    {
        hlm_context *raw = nullptr;
        const hlm_status code = hlm_ctx_new(&raw, model.get(), params);
        if (code != HLM_OK) return Status::of(code);
        return Context(raw, model);
    }
    /** Its pool; an empty one of an empty handle. */
    Pool pool() const noexcept
    {
        hlm_pool *raw = hlm_ctx_pool(get());
        hlm_pool_retain(raw);
        return Pool(raw);
    }
    /** The sentence of the latest failed call on it; "" before the first. */
    const char *error() const noexcept
    {
        return hlm_ctx_error(get());
    }
    /** Stops the running call, or the next; from any thread, while the context lives. */
    void cancel() const noexcept
    {
        hlm_ctx_cancel(get());
    }

    /** New tokens for several sequences in one batch; after an error all caches are as before. */
    Status decode(Span<Step> steps)
    {
        std::vector<const hlm_step *> raw(steps.size());
        for (std::size_t i = 0; i < steps.size(); i++) {
            if (Status st = steps[i].prepare(i, info_, widths_); get() && !st) return st;
            raw[i] = &steps[i].raw_;
        }
        return Status::of(hlm_decode_step(get(), raw.data(), raw.size()));
    }
    Status decode(Step &step)
    {
        if (Status st = step.prepare(0, info_, widths_); get() && !st) return st;
        const hlm_step *const raw = &step.raw_;
        return Status::of(hlm_decode_step(get(), &raw, 1));
    }
    Status decode(Step &&step)
    {
        return decode(step);
    }
    /** The logits behind a cache's last token once more, as its step gave them: after a fork, a rewind, a load. */
    Result<std::vector<float>> logits(Cache &cache)
    {
        const bool text = info_.head == HLM_HEAD_TEXT;
        std::vector<float> out(static_cast<std::size_t>(text ? info_.vocab_size : info_.n_labels));
        const hlm_status code = hlm_cache_logits(get(), cache.get(), out.data());
        if (code != HLM_OK) return Status::of(code);
        return out;
    }

    /** Prompt in, tokens out. on_token(int32_t token, std::string_view text) gets each token with the text that became
     *  certain, and token -1 at the end with what was held back; progress(done, total), parts of the prompt. Both
     *  return false to stop, or nothing. params.on_token, progress and user are set here; params.adapter is an
     *  adapter's get(). sampler may be NULL. */
    template <class OnToken, class Progress>
    Result<hlm_generate_result> generate(Cache &cache, Sampler *sampler, hlm_generate_params params, OnToken &&on_token,
                                         Progress &&progress)
    {
        Calls<OnToken, Progress> calls{on_token, progress, nullptr};
        params.on_token = calls.token;
        params.progress = calls.part;
        params.user = &calls;
        auto out = make<hlm_generate_result>();
        const hlm_status code = hlm_generate(get(), cache.get(), sampler ? sampler->get() : nullptr, &params, &out);
        detail::rethrow(calls.caught);
        if (code != HLM_OK) return Status::of(code);
        return out;
    }
    template <class OnToken>
    Result<hlm_generate_result> generate(Cache &cache, Sampler *sampler, const hlm_generate_params &params,
                                         OnToken &&on_token)
    {
        return generate(cache, sampler, params, std::forward<OnToken>(on_token), [](std::size_t, std::size_t) {});
    }

    struct Score {
        std::vector<float> logprobs; /**< of all tokens but the first */
        double sum = 0;
    };
    struct LabelScore {
        std::vector<float> logprobs; /**< of all labels but the first; 0 for those left out */
        double sum = 0;
        std::size_t count = 0;
    };
    /** Log-probability of each token given those before it. */
    Result<Score> score(Span<const int32_t> tokens)
    {
        Result<LabelScore> rated = rate(tokens, nullptr);
        if (!rated) return rated.status();
        return Score{std::move(rated->logprobs), rated->sum};
    }

    /** The same for given labels, as many as tokens; a negative one is left out. */
    Result<LabelScore> score_labels(Span<const int32_t> tokens, Span<const int32_t> labels)
    {
        const std::size_t n = tokens.size();
        if (labels.size() != n)
            return Status(HLM_E_ARG,
                          "score_labels: " + std::to_string(labels.size()) + " labels, " + std::to_string(n) +
                              " tokens");
        return rate(tokens, labels.data());
    }
    /** A text's vector of hidden_size. pooling: HLM_EMBED_...; of length 1 if `normalise`. */
    Result<std::vector<float>> embed(Span<const int32_t> tokens, int32_t pooling = HLM_EMBED_MEAN,
                                     bool normalise = true)
    {
        auto params = make<hlm_embed_params>();
        params.tokens = tokens.data();
        params.n_tokens = tokens.size();
        params.pooling = pooling;
        params.normalise = normalise ? 1 : 0;
        std::vector<float> out(static_cast<std::size_t>(info_.hidden_size));
        const hlm_status code = hlm_embed(get(), &params, out.data());
        if (code != HLM_OK) return Status::of(code);
        return out;
    }

  private:
    template <class OnToken, class Progress> struct Calls {
        std::remove_reference_t<OnToken> &on_token;
        std::remove_reference_t<Progress> &progress;
        std::exception_ptr caught;

        static int32_t token(void *user, int32_t id, const char *text, std::size_t len)
        {
            auto &calls = *static_cast<Calls *>(user);
            return detail::guarded(calls.caught, int32_t{1},
                                   [&] { return detail::answer(calls.on_token, id, std::string_view(text, len)); });
        }
        static int32_t part(void *user, std::size_t done, std::size_t total)
        {
            auto &calls = *static_cast<Calls *>(user);
            return detail::guarded(calls.caught, int32_t{1},
                                   [&] { return detail::answer(calls.progress, done, total); });
        }
    };

    Result<LabelScore> rate(Span<const int32_t> tokens, const int32_t *labels)
    {
        LabelScore out;
        out.logprobs.resize(tokens.size() ? tokens.size() - 1 : 0);
        auto params = make<hlm_score_params>();
        params.tokens = tokens.data();
        params.n_tokens = tokens.size();
        params.labels = labels;
        params.logprobs = out.logprobs.data();
        auto result = make<hlm_score_result>();
        const hlm_status code = hlm_score(get(), &params, &result);
        if (code != HLM_OK) return Status::of(code);
        out.sum = result.sum;
        out.count = result.n_scored;
        return out;
    }

    Context(hlm_context *raw, const Model &model) : Handle(raw), info_(*model.info())
    {
        for (int32_t kind = 0; kind < 3; kind++) widths_[kind] = hlm_model_hidden_width(model.get(), kind);
    }
    hlm_model_info info_{}; /* its strings may be gone with the model */
    std::size_t widths_[3] = {}; /* of hidden states, by kind */
};

} // namespace hlm

#endif
