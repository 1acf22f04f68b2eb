/* Module names against PEFT's settings, by the rules of PEFT 0.21 (tuners/tuners_utils.py, utils/other.py). */
#include "arch/adapter_match.h"

#include <string.h>

#include "base/size.h"

enum { MOST_EXPRESSIONS = 256 /* of a setting, that are no plain names */ };

static hlm_status wrong(const hlmi_adapter_match *m, const char *key, const char *expected)
{
    return hlmi_fail(HLM_E_FORMAT, "%s: adapter_config.json: %s is not %s", m->path, key, expected);
}

static hlm_status name_setting(const hlmi_adapter_match *m, hlm_status st, const char *key)
{
    return st == HLM_OK ? st : hlmi_fail_prefix(st, "%s: adapter_config.json: %s: ", m->path, key);
}

/* A setting that is there; PEFT takes "" and empty lists for none. */
static const hlmi_json *setting(const hlmi_json *config, const char *key)
{
    const hlmi_json *v = hlmi_json_given(config, key);
    const bool holds = hlmi_json_is(v, HLMI_JSON_STRING | HLMI_JSON_ARRAY | HLMI_JSON_OBJECT);
    return holds && hlmi_json_str(v).len + hlmi_json_count(v) == 0 ? NULL : v;
}

/* ---- patterns ---- */

/* Letters, digits, _ and points, which stand for any character. */
static bool is_plain(const char *s)
{
    for (; *s; s++) {
        const bool word = (*s >= '0' && *s <= '9') || (*s >= 'a' && *s <= 'z') || (*s >= 'A' && *s <= 'Z');
        if (!word && *s != '_' && *s != '.') return false;
    }
    return true;
}

static hlm_status open_pattern(hlmi_adapter_match *m, hlmi_adapter_pattern *p, const hlmi_json *config, const char *key)
{
    size_t expressions = 0;
    p->key = key;
    p->json = setting(config, key);
    if (!p->json) return HLM_OK;
    if (!hlmi_json_is(p->json, HLMI_JSON_OBJECT)) return wrong(m, key, "an object");
    p->re = hlmi_calloc(&m->mem, hlmi_json_count(p->json), sizeof *p->re);
    if (!p->re) return hlmi_nomem(hlmi_json_count(p->json) * sizeof *p->re, key);
    for (hlmi_json_iter it = {0}; hlmi_json_next(p->json, &it);) {
        const char *name = it.key.s;
        double number = 0;
        if (!hlmi_json_number(it.value, &number) || !(number > 0 && number <= 1e6))
            return hlmi_fail(HLM_E_FORMAT,
                             "%s: adapter_config.json: %s has no number above 0 and up to 1e6 for '%.100s'", m->path,
                             key, name);
        hlmi_pattern *re = &p->re[it.n - 1];
        if (is_plain(name)) continue;
        if (expressions++ == MOST_EXPRESSIONS)
            return hlmi_fail(HLM_E_LIMIT, "%s: adapter_config.json: %s has more than %d regular expressions", m->path,
                             key, MOST_EXPRESSIONS);
        HLMI_DO(name_setting(m, hlmi_pyre_compile(re, &m->mem, HLMI_PYRE_TAIL, name), key));
    }
    return HLM_OK;
}

static void close_pattern(hlmi_adapter_match *m, hlmi_adapter_pattern *p)
{
    for (size_t i = 0; p->re && i < hlmi_json_count(p->json); i++) hlmi_pattern_free(&p->re[i], &m->mem);
    hlmi_free(&m->mem, p->re);
}

/* The module, or what stands behind one of its points. */
static bool plain_tail(const char *name, const char *module)
{
    const size_t n = strlen(name), len = strlen(module);
    if (n > len || (n < len && module[len - n - 1] != '.')) return false;
    for (size_t i = 0; i < n; i++)
        if (name[i] != '.' && name[i] != module[len - n + i]) return false;
    return true;
}

hlm_status hlmi_adapter_match_value(const hlmi_adapter_match *m, const hlmi_adapter_pattern *p, const char *module,
                                    double *out)
{
    for (hlmi_json_iter it = {0}; hlmi_json_next(p->json, &it);) {
        const hlmi_pattern *re = &p->re[it.n - 1];
        bool found = !re->code && plain_tail(it.key.s, module);
        if (re->code) {
            const hlm_status st = hlmi_pyre_match(re, module, strlen(module), &found, NULL);
            if (st != HLM_OK) return name_setting(m, st, p->key);
        }
        if (!found) continue;
        hlmi_json_number(it.value, out);
        return HLM_OK;
    }
    hlmi_json_number(hlmi_json_get(p->json, module), out); /* a name that does not match itself */
    return HLM_OK;
}

/* ---- targets ---- */

/* Is it of the kind, or a list of such? */
static bool is_list_of(const hlmi_json *v, unsigned kind)
{
    bool all = hlmi_json_is(v, kind | HLMI_JSON_ARRAY);
    for (size_t i = 0; i < hlmi_json_count(v) && all; i++) all = hlmi_json_is(hlmi_json_at(v, i), kind);
    return all;
}

/* A setting that is an expression, or a list of ends of names. */
static hlm_status open_names(hlmi_adapter_match *m, const hlmi_json *config, const char *key, const hlmi_json **json,
                             hlmi_pattern *re)
{
    const hlmi_json *v = setting(config, key);
    if (!v) return HLM_OK;
    if (!is_list_of(v, HLMI_JSON_STRING)) return wrong(m, key, "a string or a list of strings");
    *json = v;
    const char *s = hlmi_json_str(v).s;
    if (!s) return HLM_OK;
    static const char all[] = "all-linear";
    size_t same = 0;
    while (same < sizeof all && s[same] && (s[same] | 0x20) == all[same]) same++;
    m->all_linear = m->all_linear || (re == &m->target && same == sizeof all - 1 && !s[same]);
    if (re == &m->target && m->all_linear) return HLM_OK;
    return name_setting(m, hlmi_pyre_compile(re, &m->mem, HLMI_PYRE_FULL, s), key);
}

static hlm_status open_layers(hlmi_adapter_match *m, const hlmi_json *config)
{
    const hlmi_json *v = setting(config, "layers_to_transform"), *p = setting(config, "layers_pattern");
    if (v && !is_list_of(v, HLMI_JSON_INT)) return wrong(m, "layers_to_transform", "an integer or a list of integers");
    m->layers = v;
    if (!p) return HLM_OK;
    if (!hlmi_json_is(p, HLMI_JSON_STRING | HLMI_JSON_ARRAY))
        return wrong(m, "layers_pattern", "a string or a list of strings");
    if (!v)
        return hlmi_fail(HLM_E_FORMAT, "%s: adapter_config.json: layers_pattern is set, layers_to_transform is not",
                         m->path);
    const size_t n = hlmi_json_is(p, HLMI_JSON_ARRAY) ? hlmi_json_count(p) : 1;
    if (n > MOST_EXPRESSIONS) return wrong(m, "layers_pattern", "a list of up to 256 strings");
    m->numbers = hlmi_calloc(&m->mem, n, sizeof *m->numbers);
    if (!m->numbers) return hlmi_nomem(n * sizeof *m->numbers, "layers_pattern");
    for (m->n_numbers = 0; m->n_numbers < n; m->n_numbers++) {
        const char *s = hlmi_json_str(hlmi_json_is(p, HLMI_JSON_ARRAY) ? hlmi_json_at(p, m->n_numbers) : p).s;
        if (!s) return wrong(m, "layers_pattern", "a string or a list of strings");
        const hlm_status st = hlmi_pyre_compile(&m->numbers[m->n_numbers], &m->mem, HLMI_PYRE_NUMBER, s);
        if (st != HLM_OK) return name_setting(m, st, "layers_pattern");
    }
    return HLM_OK;
}

hlm_status hlmi_adapter_match_open(hlmi_adapter_match *m, const hlmi_mem *mem, const hlmi_json *config,
                                   const char *path)
{
    hlm_status st;
    *m = (hlmi_adapter_match){.mem = *mem, .path = path};
    HLMI_TRY(open_pattern(m, &m->alphas, config, "alpha_pattern"));
    HLMI_TRY(open_pattern(m, &m->ranks, config, "rank_pattern"));
    HLMI_TRY(open_names(m, config, "target_modules", &m->targets, &m->target));
    HLMI_TRY(open_names(m, config, "exclude_modules", &m->excluded, &m->exclude));
    HLMI_TRY(open_layers(m, config));
    if (m->layers && hlmi_json_is(m->targets, HLMI_JSON_STRING))
        st = hlmi_fail(HLM_E_FORMAT,
                       "%s: adapter_config.json: layers_to_transform is set beside a target_modules that is no list",
                       path);
done:
    return st;
}

void hlmi_adapter_match_close(hlmi_adapter_match *m)
{
    close_pattern(m, &m->alphas);
    close_pattern(m, &m->ranks);
    hlmi_pattern_free(&m->target, &m->mem);
    hlmi_pattern_free(&m->exclude, &m->mem);
    for (size_t i = 0; i < m->n_numbers; i++) hlmi_pattern_free(&m->numbers[i], &m->mem);
    hlmi_free(&m->mem, m->numbers);
}

/* Is the module one of a list, or does it end in a point and one of them? *whole: it is one itself. */
static bool in_list(const hlmi_json *list, const char *module, bool *whole)
{
    const size_t len = strlen(module);
    bool found = false;
    *whole = false;
    for (hlmi_json_iter i = {0}; hlmi_json_next(list, &i);) {
        const size_t n = hlmi_json_str(i.value).len;
        if (n > len || memcmp(module + len - n, hlmi_json_str(i.value).s, n) != 0) continue;
        if (n == len) *whole = true;
        found = found || n == len || module[len - n - 1] == '.';
    }
    return found;
}

/* The first number between points that has two names before it: a layer's, or -1. */
static int64_t layer_number(const char *module)
{
    size_t names = 0;
    for (const char *s = module; *s;) {
        const size_t n = strcspn(s, ".");
        int64_t number = 0;
        size_t digits = 0;
        for (; digits < n && s[digits] >= '0' && s[digits] <= '9' && number < INT32_MAX; digits++)
            number = 10 * number + (s[digits] - '0');
        if (names >= 2 && digits == n && n > 0 && s[n] == '.') return number;
        names++;
        s += n + (s[n] == '.');
    }
    return -1;
}

/* Is the module in one of the layers of layers_to_transform? */
static hlm_status in_layers(const hlmi_adapter_match *m, const char *module, bool *yes)
{
    int64_t number = m->n_numbers ? -1 : layer_number(module);
    bool found = false;
    for (size_t i = 0; i < m->n_numbers && !found; i++) {
        const hlm_status st = hlmi_pyre_match(&m->numbers[i], module, strlen(module), &found, &number);
        if (st != HLM_OK) return name_setting(m, st, "layers_pattern");
    }
    int64_t layer;
    *yes = hlmi_json_int(m->layers, number, number, &layer);
    for (hlmi_json_iter i = {0}; hlmi_json_next(m->layers, &i);)
        *yes = *yes || hlmi_json_int(i.value, number, number, &layer);
    *yes = *yes && number >= 0;
    return HLM_OK;
}

static hlm_status no_target(const hlmi_adapter_match *m, const char *module, const char *key)
{
    return hlmi_fail(HLM_E_FORMAT, "%s: adapter_config.json: %s leaves out %s, for which there are tensors", m->path,
                     key, module);
}

hlm_status hlmi_adapter_match_targets(const hlmi_adapter_match *m, const char *module)
{
    hlm_status st = HLM_OK;
    bool yes = false, whole = false;
    if (hlmi_json_is(m->excluded, HLMI_JSON_ARRAY)) yes = in_list(m->excluded, module, &whole);
    else if (m->exclude.code) st = hlmi_pyre_match(&m->exclude, module, strlen(module), &yes, NULL);
    if (st != HLM_OK) return name_setting(m, st, "exclude_modules");
    if (yes) return no_target(m, module, "exclude_modules");
    if (!m->targets) return HLM_OK;
    if (m->all_linear) yes = strcmp(module, "lm_head") != 0;
    else if (hlmi_json_is(m->targets, HLMI_JSON_ARRAY)) yes = in_list(m->targets, module, &whole);
    else st = hlmi_pyre_match(&m->target, module, strlen(module), &yes, NULL);
    if (st != HLM_OK) return name_setting(m, st, "target_modules");
    if (!yes) return no_target(m, module, "target_modules");
    if (!m->layers || whole) return HLM_OK;
    st = in_layers(m, module, &yes);
    return st != HLM_OK || yes ? st : no_target(m, module, "layers_to_transform");
}
