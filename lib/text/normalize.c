/* Normalizers: text to text, before anything is cut. The kinds are those of tokenizer.json; a sequence is flattened
 * into the list of steps. */
#include "text/tokenizer_impl.h"

#include <string.h>
#include <utf8proc.h>

#include "base/size.h"
#include "text/charsmap.h"
#include "text/json_read.h"

static hlm_status run_form(const hlmi_norm *n, const char *s, size_t len, hlmi_buf *out)
{
    return hlmi_normal_form(n->kind->form, s, len, out, NULL);
}

/* ---- characters one by one ---- */

static hlm_status run_chars(const hlmi_norm *n, const char *s, size_t len, hlmi_buf *out)
{
    for (size_t i = 0; i < len; i += hlmi_utf8_len((unsigned char)s[i])) n->kind->put(hlmi_utf8_get(s + i), out);
    return HLM_OK;
}

static void put_lowercase(uint32_t c, hlmi_buf *out)
{
    if (c == 0x130) hlmi_buf_str(out, "i\xCC\x87"); /* the one character whose lower case is two */
    else hlmi_buf_utf8(out, (uint32_t)utf8proc_tolower((utf8proc_int32_t)c));
}

static void put_no_accent(uint32_t c, hlmi_buf *out)
{
    if (!(hlmi_char_class(c) & HLMI_CC_MARK)) hlmi_buf_utf8(out, c);
}

static bool nmt_drops(uint32_t c)
{
    return (c >= 1 && c <= 8) || c == 0xB || (c >= 0xE && c <= 0x1F) || c == 0x7F || c == 0x8F || c == 0x9F;
}

static bool nmt_spaces(uint32_t c)
{
    return c == 9 || c == 0xA || c == 0xC || c == 0xD || c == 0x1680 || (c >= 0x200B && c <= 0x200F) || c == 0x2028 ||
        c == 0x2029 || c == 0x2581 || c == 0xFEFF || c == 0xFFFD;
}

static void put_nmt(uint32_t c, hlmi_buf *out)
{
    if (!nmt_drops(c)) hlmi_buf_utf8(out, nmt_spaces(c) ? ' ' : c);
}

static hlm_status run_byte_level(const hlmi_norm *n, const char *s, size_t len, hlmi_buf *out)
{
    (void)n;
    for (size_t i = 0; i < len; i++) hlmi_buf_utf8(out, hlmi_byte_char((uint8_t)s[i]));
    return HLM_OK;
}

/* ---- Strip ---- */

static hlm_status read_strip(hlmi_norm *n, const hlmi_mem *mem, const hlmi_json *def)
{
    (void)mem;
    n->flag[0] = hlmi_json_flag(def, "strip_left", true);
    n->flag[1] = hlmi_json_flag(def, "strip_right", true);
    return HLM_OK;
}

static hlm_status run_strip(const hlmi_norm *n, const char *s, size_t len, hlmi_buf *out)
{
    size_t begin = 0, end = len;
    while (n->flag[0] && begin < end && hlmi_char_class(hlmi_utf8_get(s + begin)) & HLMI_CC_SPACE)
        begin += hlmi_utf8_len((unsigned char)s[begin]);
    while (n->flag[1] && end > begin) {
        size_t p = end - 1;
        while (p > begin && ((unsigned char)s[p] & 0xC0) == 0x80) p--;
        if (!(hlmi_char_class(hlmi_utf8_get(s + p)) & HLMI_CC_SPACE)) break;
        end = p;
    }
    hlmi_buf_add(out, s + begin, end - begin);
    return HLM_OK;
}

/* ---- Prepend, Replace ---- */

static hlm_status read_prepend(hlmi_norm *n, const hlmi_mem *mem, const hlmi_json *def)
{
    return hlmi_json_text(mem, def, "prepend", &n->replace.content, &n->replace.content_len);
}

static hlm_status run_prepend(const hlmi_norm *n, const char *s, size_t len, hlmi_buf *out)
{
    if (len) hlmi_buf_add(out, n->replace.content, n->replace.content_len);
    hlmi_buf_add(out, s, len);
    return HLM_OK;
}

static hlm_status read_replace(hlmi_norm *n, const hlmi_mem *mem, const hlmi_json *def)
{
    return hlmi_replace_read(&n->replace, mem, def);
}

static hlm_status run_replace(const hlmi_norm *n, const char *s, size_t len, hlmi_buf *out)
{
    return hlmi_replace_run(&n->replace, s, len, out);
}

/* ---- Precompiled ---- */

static hlm_status read_precompiled(hlmi_norm *n, const hlmi_mem *mem, const hlmi_json *def)
{
    const hlmi_json *v = hlmi_json_given(def, "precompiled_charsmap");
    const hlmi_str map = hlmi_json_str(v);
    if (!v) return HLM_OK;
    if (!map.s) return hlmi_fail(HLM_E_FORMAT, "normalizer Precompiled: precompiled_charsmap is no string");
    return hlmi_charsmap_base64(&n->charsmap, mem, map.s, map.len);
}

static hlm_status run_precompiled(const hlmi_norm *n, const char *s, size_t len, hlmi_buf *out)
{
    if (n->charsmap) hlmi_charsmap_graphemes(n->charsmap, s, len, out);
    else hlmi_buf_add(out, s, len);
    return HLM_OK;
}

/* ---- SentencePiece's own normalizer, as GGUF files ask for it ---- */

/* One place of the text by the longest key of the map, else one character: the bytes of s that become *to. */
static size_t map_prefix(const hlmi_norm *n, const char *s, size_t len, hlmi_str *to)
{
    const size_t key = n->charsmap ? hlmi_charsmap_longest(n->charsmap, s, len, to) : 0;
    if (key > 0) return key;
    *to = (hlmi_str){s, hlmi_utf8_len((unsigned char)*s)};
    return to->len;
}

static hlm_status run_sentencepiece(const hlmi_norm *n, const char *s, size_t len, hlmi_buf *out)
{
    static const char mark[] = "\xE2\x96\x81";
    const bool prepend = n->flag[0], merge = n->flag[1];
    bool prepended = false, in_word = false;
    for (size_t at = 0; at < len && !out->failed;) {
        hlmi_str to;
        at += map_prefix(n, s + at, len - at, &to);
        for (size_t i = 0; i < to.len; i++) {
            if (to.s[i] == ' ') {
                in_word = false;
                if (!merge) hlmi_buf_str(out, mark);
                continue;
            }
            if (!in_word && ((prepend && !prepended) || merge)) {
                hlmi_buf_str(out, mark);
                prepended = true;
            }
            in_word = true;
            hlmi_buf_char(out, to.s[i]);
        }
    }
    return HLM_OK;
}

hlm_status hlmi_norms_add_sentencepiece(hlmi_norms *ns, const hlmi_mem *mem, const char *charsmap, size_t len,
                                        bool prepend, bool merge)
{
    hlmi_norm *n = NULL;
    HLMI_DO(hlmi_norms_add(ns, mem, "sentencepiece", &n));
    n->flag[0] = prepend;
    n->flag[1] = merge;
    return charsmap && len ? hlmi_charsmap_new(&n->charsmap, mem, charsmap, len) : HLM_OK;
}

/* ---- the list of steps ---- */

static const hlmi_norm_kind kinds[] = {
    {"NFC", .run = run_form, .form = HLMI_NFC},
    {"NFD", .run = run_form, .form = HLMI_NFD},
    {"NFKC", .run = run_form, .form = HLMI_NFKC},
    {"NFKD", .run = run_form, .form = HLMI_NFKD},
    {"Lowercase", .run = run_chars, .put = put_lowercase},
    {"StripAccents", .run = run_chars, .put = put_no_accent},
    {"Nmt", .run = run_chars, .put = put_nmt},
    {"ByteLevel", .run = run_byte_level},
    {"Strip", .read = read_strip, .run = run_strip},
    {"Prepend", .read = read_prepend, .run = run_prepend},
    {"Replace", .read = read_replace, .run = run_replace},
    {"Precompiled", .read = read_precompiled, .run = run_precompiled},
    {"sentencepiece", .run = run_sentencepiece},
};

hlm_status hlmi_norms_add(hlmi_norms *ns, const hlmi_mem *mem, const char *kind, hlmi_norm **out)
{
    for (size_t i = 0; i < sizeof kinds / sizeof *kinds; i++) {
        if (strcmp(kinds[i].name, kind) != 0) continue;
        HLMI_DO(HLMI_GROW(mem, ns->v, ns->cap, ns->n + 1, "normalizer"));
        *out = &ns->v[ns->n++];
        **out = (hlmi_norm){.kind = &kinds[i]};
        return HLM_OK;
    }
    return hlmi_fail(HLM_E_UNSUPPORTED,
                     "normalizer '%.40s' is not supported; Sequence, NFC, NFD, NFKC, NFKD, Lowercase, StripAccents, "
                     "Nmt, ByteLevel, Strip, Prepend, Replace and Precompiled are",
                     kind);
}

static hlm_status read_step(void *ns, const hlmi_mem *mem, const char *kind, const hlmi_json *def)
{
    hlmi_norm *n = NULL;
    HLMI_DO(hlmi_norms_add(ns, mem, kind, &n));
    return n->kind->read ? n->kind->read(n, mem, def) : HLM_OK;
}

hlm_status hlmi_norms_read(hlmi_norms *ns, const hlmi_mem *mem, const hlmi_json *def)
{
    return hlmi_json_steps(def, "normalizer", "normalizers", mem, read_step, ns);
}

bool hlmi_norms_strip_left(const hlmi_norms *ns, const char *s)
{
    if (!(hlmi_char_class(hlmi_utf8_get(s)) & HLMI_CC_SPACE)) return false;
    for (size_t i = 0; i < ns->n; i++)
        if (ns->v[i].kind->run == run_strip && ns->v[i].flag[0]) return true;
    return false;
}

hlm_status hlmi_norms_run(const hlmi_norms *ns, const char **text, size_t *len, hlmi_buf *a, hlmi_buf *b, size_t *most)
{
    hlmi_buf *out = a;
    *most = 0;
    for (size_t i = 0; i < ns->n; i++) {
        hlmi_buf_clear(out);
        HLMI_DO(ns->v[i].kind->run(&ns->v[i], *text, *len, out));
        HLMI_DO(hlmi_buf_status(out, "normalized text"));
        *text = out->len ? out->data : "";
        *len = out->len;
        *most = hlmi_max_size(*most, out->len);
        out = out == a ? b : a;
    }
    return HLM_OK;
}

void hlmi_norms_free(hlmi_norms *ns, const hlmi_mem *mem)
{
    for (size_t i = 0; i < ns->n; i++) {
        hlmi_replace_free(&ns->v[i].replace, mem);
        hlmi_free(mem, ns->v[i].charsmap);
    }
    hlmi_free(mem, ns->v);
    *ns = (hlmi_norms){0};
}
