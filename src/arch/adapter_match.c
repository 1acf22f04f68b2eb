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
static const json_t *setting(const json_t *config, const char *key)
{
    const json_t *v = json_object_get(config, key);
    const bool none = !v || json_is_null(v) || (json_is_string(v) && json_string_length(v) == 0);
    return none || ((json_is_array(v) || json_is_object(v)) && json_array_size(v) + json_object_size(v) == 0) ? NULL
                                                                                                              : v;
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

static hlm_status open_pattern(hlmi_adapter_match *m, hlmi_adapter_pattern *p, const json_t *config, const char *key)
{
    const char *name;
    json_t *number;
    size_t i = 0, expressions = 0;
    p->key = key;
    p->json = setting(config, key);
    if (!p->json) return HLM_OK;
    if (!json_is_object(p->json)) return wrong(m, key, "an object");
    p->re = hlmi_calloc(&m->mem, json_object_size(p->json), sizeof *p->re);
    if (!p->re) return hlmi_nomem(json_object_size(p->json) * sizeof *p->re, key);
    json_object_foreach((json_t *)(uintptr_t)p->json, name, number)
    {
        if (!json_is_number(number) || !(json_number_value(number) > 0 && json_number_value(number) <= 1e6))
            return hlmi_fail(HLM_E_FORMAT,
                             "%s: adapter_config.json: %s has no number above 0 and up to 1e6 for '%.100s'", m->path,
                             key, name);
        hlmi_pyre *re = &p->re[i++];
        if (is_plain(name)) continue;
        if (expressions++ == MOST_EXPRESSIONS)
            return hlmi_fail(HLM_E_LIMIT, "%s: adapter_config.json: %s has more than %d regular expressions", m->path,
                             key, MOST_EXPRESSIONS);
        const hlm_status st = name_setting(m, hlmi_pyre_compile(re, &m->mem, HLMI_PYRE_TAIL, name), key);
        if (st != HLM_OK) return st;
    }
    return HLM_OK;
}

static void close_pattern(hlmi_adapter_match *m, hlmi_adapter_pattern *p)
{
    for (size_t i = 0; p->re && i < json_object_size(p->json); i++) hlmi_pyre_free(&p->re[i]);
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
    const char *name;
    json_t *number;
    size_t i = 0;
    if (!p->json) return HLM_OK;
    json_object_foreach((json_t *)(uintptr_t)p->json, name, number)
    {
        const hlmi_pyre *re = &p->re[i++];
        bool found = !re->code && plain_tail(name, module);
        if (re->code) {
            const hlm_status st = hlmi_pyre_match(re, module, strlen(module), &found, NULL);
            if (st != HLM_OK) return name_setting(m, st, p->key);
        }
        if (!found) continue;
        *out = json_number_value(number);
        return HLM_OK;
    }
    number = json_object_get(p->json, module); /* a name that does not match itself */
    if (number) *out = json_number_value(number);
    return HLM_OK;
}

/* ---- targets ---- */

/* A setting that is an expression, or a list of ends of names. */
static hlm_status open_names(hlmi_adapter_match *m, const json_t *config, const char *key, const json_t **json,
                             hlmi_pyre *re)
{
    const json_t *v = setting(config, key), *item;
    size_t i;
    if (!v) return HLM_OK;
    if (!json_is_string(v) && !json_is_array(v)) return wrong(m, key, "a string or a list of strings");
    json_array_foreach((json_t *)(uintptr_t)v, i, item)
    {
        if (!json_is_string(item)) return wrong(m, key, "a string or a list of strings");
    }
    *json = v;
    if (!json_is_string(v)) return HLM_OK;
    const char *s = json_string_value(v);
    static const char all[] = "all-linear";
    size_t same = 0;
    while (same < sizeof all && s[same] && (s[same] | 0x20) == all[same]) same++;
    m->all_linear = m->all_linear || (re == &m->target && same == sizeof all - 1 && !s[same]);
    if (re == &m->target && m->all_linear) return HLM_OK;
    return name_setting(m, hlmi_pyre_compile(re, &m->mem, HLMI_PYRE_FULL, s), key);
}

static hlm_status open_layers(hlmi_adapter_match *m, const json_t *config)
{
    const json_t *v = setting(config, "layers_to_transform"), *item, *p = setting(config, "layers_pattern");
    size_t i;
    if (v && !json_is_integer(v) && !json_is_array(v))
        return wrong(m, "layers_to_transform", "an integer or a list of integers");
    json_array_foreach((json_t *)(uintptr_t)v, i, item)
    {
        if (!json_is_integer(item)) return wrong(m, "layers_to_transform", "an integer or a list of integers");
    }
    m->layers = v;
    if (!p) return HLM_OK;
    if (!json_is_string(p) && !json_is_array(p)) return wrong(m, "layers_pattern", "a string or a list of strings");
    if (!v)
        return hlmi_fail(HLM_E_FORMAT, "%s: adapter_config.json: layers_pattern is set, layers_to_transform is not",
                         m->path);
    const size_t n = json_is_array(p) ? json_array_size(p) : 1;
    if (n > MOST_EXPRESSIONS) return wrong(m, "layers_pattern", "a list of up to 256 strings");
    m->numbers = hlmi_calloc(&m->mem, n, sizeof *m->numbers);
    if (!m->numbers) return hlmi_nomem(n * sizeof *m->numbers, "layers_pattern");
    for (m->n_numbers = 0; m->n_numbers < n; m->n_numbers++) {
        const json_t *s = json_is_array(p) ? json_array_get(p, m->n_numbers) : p;
        if (!json_is_string(s)) return wrong(m, "layers_pattern", "a string or a list of strings");
        const hlm_status st =
            hlmi_pyre_compile(&m->numbers[m->n_numbers], &m->mem, HLMI_PYRE_NUMBER, json_string_value(s));
        if (st != HLM_OK) return name_setting(m, st, "layers_pattern");
    }
    return HLM_OK;
}

hlm_status hlmi_adapter_match_open(hlmi_adapter_match *m, const hlmi_mem *mem, const json_t *config, const char *path)
{
    hlm_status st;
    *m = (hlmi_adapter_match){.mem = *mem, .path = path};
    HLMI_TRY(open_pattern(m, &m->alphas, config, "alpha_pattern"));
    HLMI_TRY(open_pattern(m, &m->ranks, config, "rank_pattern"));
    HLMI_TRY(open_names(m, config, "target_modules", &m->targets, &m->target));
    HLMI_TRY(open_names(m, config, "exclude_modules", &m->excluded, &m->exclude));
    HLMI_TRY(open_layers(m, config));
    if (m->layers && json_is_string(m->targets))
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
    hlmi_pyre_free(&m->target);
    hlmi_pyre_free(&m->exclude);
    for (size_t i = 0; i < m->n_numbers; i++) hlmi_pyre_free(&m->numbers[i]);
    hlmi_free(&m->mem, m->numbers);
}

/* Is the module one of a list, or does it end in a point and one of them? *whole: it is one itself. */
static bool in_list(const json_t *list, const char *module, bool *whole)
{
    const size_t len = strlen(module);
    const json_t *item;
    size_t i;
    bool found = false;
    *whole = false;
    json_array_foreach((json_t *)(uintptr_t)list, i, item)
    {
        const size_t n = json_string_length(item);
        if (n > len || memcmp(module + len - n, json_string_value(item), n) != 0) continue;
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
    *yes = json_is_integer(m->layers) && json_integer_value(m->layers) == number;
    for (size_t i = 0; i < json_array_size(m->layers); i++)
        *yes = *yes || json_integer_value(json_array_get(m->layers, i)) == number;
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
    if (json_is_array(m->excluded)) yes = in_list(m->excluded, module, &whole);
    else if (m->exclude.code) st = hlmi_pyre_match(&m->exclude, module, strlen(module), &yes, NULL);
    if (st != HLM_OK) return name_setting(m, st, "exclude_modules");
    if (yes) return no_target(m, module, "exclude_modules");
    if (!m->targets) return HLM_OK;
    if (m->all_linear) yes = strcmp(module, "lm_head") != 0;
    else if (json_is_array(m->targets)) yes = in_list(m->targets, module, &whole);
    else st = hlmi_pyre_match(&m->target, module, strlen(module), &yes, NULL);
    if (st != HLM_OK) return name_setting(m, st, "target_modules");
    if (!yes) return no_target(m, module, "target_modules");
    if (!m->layers || whole) return HLM_OK;
    st = in_layers(m, module, &yes);
    return st != HLM_OK || yes ? st : no_target(m, module, "layers_to_transform");
}
