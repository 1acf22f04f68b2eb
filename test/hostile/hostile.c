/* hostile MANIFEST: files that lie, each in a process of its own. */
#define _GNU_SOURCE 1
#include "hostile.h"

#include <hybridlm/hybridlm.h>
#include <jansson.h>

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { PATH_BYTES = 2048, LINE_BYTES = 1 << 16, KINDS_MAX = 32 };

static const char help[] =
    "hostile MANIFEST [--kind KIND]... [--base FOLDER] [--list]\n"
    "\n"
    "Runs the cases of a manifest.jsonl, one process a case, and prints a line for each and\n"
    "\"N passed, N failed\". Files are looked for beside the manifest. A case passes when\n"
    "  - it ends within 5 s, with at most 512 MB resident, without a crash;\n"
    "  - \"accept\": all stages run (load, tokenize, render, decode);\n"
    "    \"reject\": the stage named, or one before it, fails with a message that names the file\n"
    "    (loading) or says something (later stages), and not for lack of memory;\n"
    "  - loading asks for no file outside the given one, and frees all memory and files;\n"
    "  - a good model loads and decodes afterwards in the same process.\n"
    "Cases of the stage \"attach\" are adapters (kinds gguf_lora and lora_hf): the good model loads, is given the\n"
    "adapter, which has to name the file when it fails, and decodes with it when it does not. A case's \"base\" is\n"
    "its own good model.\n"
    "\n"
    "  --kind KIND    only cases of this kind; may be given several times (also --kind=KIND)\n"
    "  --base FOLDER  the good model, under whose copy files with \"as\" are laid; default: base_hf beside the "
    "manifest\n"
    "  --list         print the cases and run none\n";

typedef struct options {
    const char *manifest, *base;
    const char *kinds[KINDS_MAX];
    size_t n_kinds;
    bool list;
} options;

typedef struct test_case {
    const char *file, *kind, *what, *expect, *as, *base;
    hostile_stage stage;
} test_case;

static bool read_options(int argc, char **argv, options *o)
{
    for (int i = 1; i < argc; i++) {
        const bool more = i + 1 < argc;
        if (strcmp(argv[i], "--list") == 0) o->list = true;
        else if (strncmp(argv[i], "--kind=", 7) == 0 && o->n_kinds < KINDS_MAX) o->kinds[o->n_kinds++] = argv[i] + 7;
        else if (strcmp(argv[i], "--kind") == 0 && more && o->n_kinds < KINDS_MAX) o->kinds[o->n_kinds++] = argv[++i];
        else if (strcmp(argv[i], "--base") == 0 && more) o->base = argv[++i];
        else if (argv[i][0] != '-' && !o->manifest) o->manifest = argv[i];
        else return false;
    }
    return o->manifest != NULL;
}

static bool selected(const options *o, const test_case *c)
{
    for (size_t i = 0; i < o->n_kinds; i++)
        if (strcmp(o->kinds[i], c->kind) == 0) return true;
    return o->n_kinds == 0;
}

static const char *string_of(const json_t *line, const char *key)
{
    const char *s = json_string_value(json_object_get(line, key));
    return s ? s : "";
}

static bool read_case(const json_t *line, test_case *c)
{
    *c = (test_case){.file = string_of(line, "file"),
                     .kind = string_of(line, "kind"),
                     .what = string_of(line, "what"),
                     .expect = string_of(line, "expect"),
                     .as = string_of(line, "as"),
                     .base = string_of(line, "base")};
    const char *stage = string_of(line, "stage");
    for (int s = 0; s < STAGES; s++) {
        if (strcmp(stage, hostile_stage_names[s]) != 0) continue;
        c->stage = (hostile_stage)s;
        return c->file[0] &&
            (strcmp(c->expect, "accept") == 0 || strcmp(c->expect, "reject") == 0 || strcmp(c->expect, "either") == 0);
    }
    return false;
}

/* ---- a folder with one file replaced ---- */

static bool join(char *out, const char *folder, const char *name)
{
    const int n = snprintf(out, PATH_BYTES, "%s/%s", folder, name);
    return n > 0 && n < PATH_BYTES;
}

static bool copy_file(const char *from, const char *to)
{
    char buf[1 << 14];
    FILE *in = fopen(from, "rb"), *out = in ? fopen(to, "wb") : NULL;
    bool ok = in && out;
    for (size_t n; ok && (n = fread(buf, 1, sizeof buf, in)) > 0;) ok = fwrite(buf, 1, n, out) == n;
    if (in) fclose(in);
    if (out && fclose(out) != 0) ok = false;
    return ok;
}

static const char *const base_files[] = {"config.json", "model.safetensors", "tokenizer.json", "tokenizer_config.json"};
enum { BASE_FILES = sizeof base_files / sizeof *base_files };

static void remove_folder(const char *dir, const char *as)
{
    char path[PATH_BYTES];
    for (size_t i = 0; i <= BASE_FILES; i++) {
        if (join(path, dir, i < BASE_FILES ? base_files[i] : as)) unlink(path);
    }
    rmdir(dir);
}

/* dir receives a new folder: a copy of base with `file` under the name `as`. */
static bool lay_over(const char *base, const char *file, const char *as, char *dir)
{
    char from[PATH_BYTES], to[PATH_BYTES];
    const char *tmp = getenv("TMPDIR");
    if (strchr(as, '/') || !join(dir, tmp ? tmp : "/tmp", "hostile-XXXXXX") || !mkdtemp(dir)) return false;
    for (size_t i = 0; i < BASE_FILES; i++)
        if (!join(from, base, base_files[i]) || !join(to, dir, base_files[i]) || !copy_file(from, to)) return false;
    return join(to, dir, as) && copy_file(file, to);
}

/* ---- one case ---- */

static const char *last_part(const char *path)
{
    const char *slash = strrchr(path, '/');
    return slash ? slash + 1 : path;
}

/* Is the message one that helps? While a file is read it has to name that and say more. */
static bool message_helps(const hostile_report *r, const char *path)
{
    const char *m = r->message;
    if (r->stage != STAGE_LOAD && r->stage != STAGE_ATTACH) return strlen(m) >= 8;
    const char *name = strstr(m, last_part(path));
    return name && strlen(m) >= strlen(last_part(path)) + 8;
}

/* NULL: as expected. */
static const char *judge(const test_case *c, const hostile_report *r, const char *path)
{
    if (r->status == HLM_OK) return strcmp(c->expect, "reject") == 0 ? "expected a failure" : NULL;
    if (strcmp(c->expect, "accept") == 0) return "expected to run to the end";
    if (r->status == HLM_E_NOMEM || r->status == HLM_E_INTERNAL) return "this is no verdict on a file";
    if (!message_helps(r, path)) return "the message does not name what is wrong";
    if (strcmp(c->expect, "reject") == 0 && r->stage > (int)c->stage) return "failed at a later stage than expected";
    return NULL;
}

static bool run_case(const options *o, const char *folder, const test_case *c)
{
    char path[PATH_BYTES], base[PATH_BYTES], dir[PATH_BYTES] = "";
    hostile_report r = {0};
    const char *why = NULL;
    hostile_job job = {.path = path,
                       .base = o->base,
                       .attach = c->stage == STAGE_ATTACH,
                       .check_weights = strncmp(last_part(c->file), "n_", 2) == 0};
    if (c->base[0] && join(base, folder, c->base)) job.base = base;
    if (!join(path, folder, c->file) || access(path, R_OK) != 0) why = "the case's file is not there";
    if (!why && c->as[0]) {
        job.path = dir;
        if (!lay_over(o->base, path, c->as, dir)) why = "the folder could not be made";
    }
    if (!why && !hostile_spawn(&job, &r)) why = r.broken;
    if (!why) why = judge(c, &r, job.path);
    if (job.path == dir) remove_folder(dir, c->as);
    printf("%s %s: %s %s%s%s\n", why ? "FAIL" : "ok  ", c->file, hostile_stage_names[r.stage],
           hlm_status_name(r.status), r.message[0] ? ": " : "", r.message);
    if (why) printf("     (%s; expected %s at %s): %s\n", c->what, c->expect, hostile_stage_names[c->stage], why);
    return !why;
}

/* The lines of the manifest as an array. All is read before the first process starts: a child that ends moves the
 * position of the files that it shares. */
static json_t *read_manifest(const char *path)
{
    static char line[LINE_BYTES];
    json_t *lines = json_array();
    FILE *f = fopen(path, "r");
    if (!f || !lines) fprintf(stderr, "%s: %s\n", path, strerror(errno));
    while (f && lines && fgets(line, sizeof line, f)) {
        json_t *v = json_loads(line, 0, NULL);
        json_array_append_new(lines, v ? v : json_string(line));
    }
    if (!f) {
        json_decref(lines);
        return NULL;
    }
    fclose(f);
    return lines;
}

static int run_manifest(const options *o, const char *folder, const json_t *lines)
{
    unsigned passed = 0, failed = 0;
    size_t i;
    const json_t *v;
    json_array_foreach(lines, i, v)
    {
        test_case c;
        if (!read_case(v, &c)) {
            printf("FAIL line %zu is not a case\n", i + 1);
            failed++;
        } else if (selected(o, &c)) {
            if (o->list) printf("%-44s %-15s %s at %s\n", c.file, c.kind, c.expect, hostile_stage_names[c.stage]);
            else if (run_case(o, folder, &c)) passed++;
            else failed++;
        }
    }
    if (o->list) return failed != 0;
    printf("%u passed, %u failed\n", passed, failed);
    return failed != 0 || passed == 0;
}

int main(int argc, char **argv)
{
    options o = {0};
    if (argc == 2 && strcmp(argv[1], "--help") == 0) {
        fputs(help, stdout);
        return 0;
    }
    if (!read_options(argc, argv, &o)) {
        fputs(help, stderr);
        return 2;
    }
    char folder[PATH_BYTES], base[PATH_BYTES];
    const char *slash = strrchr(o.manifest, '/');
    const int n =
        snprintf(folder, sizeof folder, "%.*s", slash ? (int)(slash - o.manifest) : 1, slash ? o.manifest : ".");
    bool fits = n > 0 && n < PATH_BYTES;
    if (fits && !o.base) {
        fits = join(base, folder, "base_hf");
        o.base = base;
    }
    json_t *lines = fits ? read_manifest(o.manifest) : NULL;
    const int rc = lines ? run_manifest(&o, folder, lines) : 2;
    json_decref(lines);
    return rc;
}
