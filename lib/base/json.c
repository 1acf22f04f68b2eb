/* JSON from untrusted files, through jansson. */
#include "base/json.h"

#include <math.h>
#include <string.h>

#include "base/buf.h"
#include "base/looks.h"
#include "base/os.h"

/* Length of a bare non-finite number at s, 0 if there is none. */
static size_t nonfinite(const char *s, size_t len, const char **name)
{
    static const char *const names[] = {"Infinity", "-Infinity", "NaN"};
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        size_t n = strlen(names[i]);
        if (len >= n && memcmp(s, names[i], n) == 0) {
            *name = names[i];
            return n;
        }
    }
    return 0;
}

/* Copies text to b with the non-finite numbers outside strings spelled as objects. */
static void respell(hlmi_buf *b, const char *text, size_t len)
{
    size_t from = 0;
    bool in_string = false;
    for (size_t i = 0; i < len; i++) {
        const char c = text[i];
        if (in_string) {
            if (c == '\\') i++;
            else if (c == '"') in_string = false;
            continue;
        }
        if (c == '"') in_string = true;
        if (c != 'I' && c != 'N' && c != '-') continue;
        const char *name = NULL;
        const size_t n = nonfinite(text + i, len - i, &name);
        if (n == 0) continue;
        hlmi_buf_add(b, text + from, i - from);
        hlmi_buf_printf(b, "{\"__float__\":\"%s\"}", name);
        from = i + n;
        i = from - 1;
    }
    hlmi_buf_add(b, text + from, len - from);
}

hlm_status hlmi_json_parse(const hlmi_mem *mem, const char *text, size_t len, bool unique, const char *what,
                           json_t **out)
{
    *out = NULL;
    json_error_t err;
    json_object_seed((size_t)hlmi_os_random()); /* or else jansson opens a file for it, with any number */
    const size_t flags = JSON_ALLOW_NUL | JSON_DECODE_ANY | (unique ? JSON_REJECT_DUPLICATES : 0);
    json_t *v = json_loadb(len ? text : "", len, flags, &err);
    if (!v && json_error_code(&err) == json_error_invalid_syntax) {
        hlmi_buf b;
        hlmi_buf_init(&b, mem);
        respell(&b, text, len);
        const bool failed = b.failed;
        if (!failed && b.len != len) v = json_loadb(b.data, b.len, flags, &err);
        hlmi_buf_free(&b);
        if (failed) return hlmi_nomem(len, what);
    }
    if (v) {
        *out = v;
        return HLM_OK;
    }
    if (json_error_code(&err) == json_error_out_of_memory) return hlmi_nomem(len, what);
    const hlmi_looks l = hlmi_looks_like(text, len, len);
    return hlmi_fail(HLM_E_FORMAT, "%s: not valid JSON at line %d, column %d: %s%s", what, err.line, err.column,
                     err.text, l.kind == HLMI_LOOK_JSON ? "" : l.s);
}

bool hlmi_json_number(const json_t *v, double *out)
{
    if (json_is_number(v)) {
        *out = json_number_value(v);
        return true;
    }
    const char *s = json_string_value(json_object_get(v, "__float__"));
    if (!s) return false;
    if (strcmp(s, "Infinity") == 0) *out = HUGE_VAL;
    else if (strcmp(s, "-Infinity") == 0) *out = -HUGE_VAL;
    else if (strcmp(s, "NaN") == 0) *out = (double)NAN;
    else return false;
    return true;
}
