/* Every place where the library opens a file, with everything that can be there instead: FIFOs, sockets, devices,
 * folders, links to nothing, files that may not be read; and everything that people have in a file's place. test_files
 * DATA. */
#define _GNU_SOURCE 1
#include "files_help.h"

/* ---- kinds of files ---- */

static void put_fifo(const char *path)
{
    ck_assert_int_eq(mkfifo(path, 0644), 0);
}

static void put_socket(const char *path)
{
    struct sockaddr_un a = {.sun_family = AF_UNIX};
    const int fd = socket(AF_UNIX, SOCK_STREAM, 0);
    ck_assert(strlen(path) < sizeof a.sun_path);
    memcpy(a.sun_path, path, strlen(path) + 1);
    ck_assert_int_eq(bind(fd, (struct sockaddr *)&a, sizeof a), 0);
    close(fd);
}

static void put_device(const char *path)
{
    ck_assert_int_eq(symlink("/dev/zero", path), 0);
}

static void put_folder(const char *path)
{
    ck_assert_int_eq(mkdir(path, 0755), 0);
}

static void put_dangling(const char *path)
{
    ck_assert_int_eq(symlink("/nowhere/at/all", path), 0);
}

static void put_loop(const char *path)
{
    ck_assert_int_eq(symlink(path, path), 0);
}

static void put_unreadable(const char *path)
{
    FILE *f = fopen(path, "wb");
    ck_assert(f && fputs("{}", f) >= 0 && fclose(f) == 0 && chmod(path, 0) == 0);
}

enum { SAVES = 1, FOLDERS = 2, PLAIN = 4 }; /* places where a kind is as it should be */

static const struct {
    const char *name;
    void (*put)(const char *path);
    const char *words;
    int fine;
} kinds[] = {
    {"a FIFO", put_fifo, "it is a FIFO", 0},
    {"a socket", put_socket, "it is a socket", 0},
    {"a device", put_device, "it is a character device", 0},
    {"a folder", put_folder, "folder", FOLDERS},
    {"a link to nothing", put_dangling, "No such file", SAVES},
    {"a link to itself", put_loop, "Too many levels of symbolic links", SAVES},
    {"no permission", put_unreadable, "Permission denied", SAVES | PLAIN},
};

static bool is_fine(const place *p, int fine)
{
    const bool whole = strcmp(p->argument, p->file) == 0;
    if (p->run == load_prefix && whole) return true; /* a folder without an index: another test's */
    if (p->run == save_prefix && whole) return (fine & (FOLDERS | PLAIN)) != 0;
    if ((p->run == save_prefix || p->run == save_snapshot) && (fine & SAVES)) return true; /* replaced */
    return false;
}

/* In a child, which may hang: what the call says. With `nobody`, as a user without rights. */
static hlm_status in_child(const place *p, bool nobody, char *sentence, size_t cap)
{
    int ends[2], status = 0;
    ck_assert_int_eq(pipe(ends), 0);
    fflush(stdout);
    const pid_t child = fork();
    if (child == 0) {
        alarm(SECONDS);
        if (nobody && geteuid() == 0 &&
            (setgroups(0, NULL) != 0 || setresgid(NOBODY, NOBODY, NOBODY) != 0 ||
             setresuid(NOBODY, NOBODY, NOBODY) != 0))
            _exit(99);
        const hlm_status st = p->run(p->argument);
        if (write(ends[1], hlm_last_error(), strlen(hlm_last_error())) < 0) _exit(98);
        _exit(-st);
    }
    close(ends[1]);
    const ssize_t n = read(ends[0], sentence, cap - 1);
    sentence[n > 0 ? n : 0] = '\0';
    close(ends[0]);
    ck_assert(waitpid(child, &status, 0) == child);
    ck_assert_msg(WIFEXITED(status), "%s (%s): signal %d", p->argument, p->file, WTERMSIG(status));
    return -WEXITSTATUS(status);
}

/* Moves what is there away, and back. */
static void set_aside(const char *path, bool back)
{
    char aside[PATH + 8];
    struct stat sb;
    snprintf(aside, sizeof aside, "%s.aside", path);
    if (back) remove_tree(path);
    if (lstat(back ? aside : path, &sb) == 0) ck_assert_int_eq(rename(back ? aside : path, back ? path : aside), 0);
}

static const char *last_part(const char *file)
{
    const char *slash = strrchr(file, '/');
    return slash ? slash + 1 : file;
}

START_TEST(kinds_of_files)
{
    open_place();
    for (size_t k = 0; k < sizeof kinds / sizeof *kinds; k++)
        for (size_t i = 0; i < PLACES; i++) {
            char path[PATH], said[600];
            const place *p = &places[i];
            if (is_fine(p, kinds[k].fine)) continue;
            path_of(path, p->file);
            set_aside(path, false);
            kinds[k].put(path);
            const hlm_status st = in_child(p, kinds[k].put == put_unreadable, said, sizeof said);
            set_aside(path, true);
            ck_assert_msg(st == HLM_E_IO && strstr(said, last_part(p->file)) && strstr(said, kinds[k].words),
                          "%s in the place of %s: %s, '%s'", kinds[k].name, p->file, hlm_status_name(st), said);
        }
    close_place();
}
END_TEST

/* What is not there, what is no folder, folders that may not be entered, and what may not be written. */
START_TEST(reasons)
{
    static const struct {
        place p;
        const char *words, *locked; /* a folder that nobody may use */
        mode_t mode;
    } cases[] = {
        {{load_model, "none", NULL, 0}, "no such file", NULL, 0},
        {{load_model, "none.gguf", NULL, 0}, "no such file", NULL, 0},
        {{load_model, "m/config.json/x", NULL, 0}, "Not a directory", NULL, 0},
        {{load_vocab, "none.json", NULL, 0}, "no such file", NULL, 0},
        {{load_adapter, "none", NULL, 0}, "no such file", NULL, 0},
        {{load_snapshot, "none", NULL, 0}, "no such file", NULL, 0},
        {{load_prefix, "none", NULL, 0}, "no such file", NULL, 0},
        {{save_snapshot, "none/x", NULL, 0}, "No such file or directory", NULL, 0},
        {{save_prefix, "none/x", NULL, 0}, "No such file or directory", NULL, 0},
        {{save_snapshot, "text/x", NULL, 0}, "Not a directory", NULL, 0},
        {{load_model, "m", NULL, 0}, "Permission denied", "m", 0},
        {{load_adapter, "a", NULL, 0}, "Permission denied", "a", 0},
        {{load_prefix, "f", NULL, 0}, "Permission denied", "f", 0},
        {{save_prefix, "f", NULL, 0}, "Permission denied", "f", 0555},
        {{save_snapshot, "a/x", NULL, 0}, "Permission denied", "a", 0555},
        {{save_prefix, "a/x", NULL, 0}, "Permission denied", "a", 0555},
    };
    open_place();
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        char said[600], path[PATH];
        const char *locked = cases[i].locked;
        path_of(path, locked ? locked : "");
        if (locked) ck_assert_int_eq(chmod(path, cases[i].mode), 0);
        const hlm_status st = in_child(&cases[i].p, locked != NULL, said, sizeof said);
        if (locked) ck_assert_int_eq(chmod(path, 0755), 0);
        ck_assert_msg(st == HLM_E_IO && strstr(said, cases[i].p.argument) && strstr(said, cases[i].words),
                      "%zu, %s: %s, '%s'", i, cases[i].p.argument, hlm_status_name(st), said);
    }
    close_place();
}
END_TEST

/* ---- contents ---- */

#define LFS                                          \
  "version https://git-lfs.github.com/spec/v1\noid " \
  "sha256:4d7a214614ab2935c943f9e0ff69d22eadbb8f32b1258daaa5e2ca24d17e2393\nsize 12345\n"
#define CONTENT(bytes, words)      \
  {                                \
    bytes, sizeof bytes - 1, words \
  }

static const struct {
    const char *bytes;
    size_t n;
    const char *words;
} contents[] = {
    CONTENT(LFS, "Git LFS pointer"),
    CONTENT("<!DOCTYPE html><html><head><title>404</title>", "HTML page"),
    CONTENT("\n\n  <html lang=\"en\">Sign in</html>", "HTML page"),
    CONTENT("\xEF\xBB\xBF<!doctype HTML>", "HTML page"),
    CONTENT("<?xml version=\"1.0\" encoding=\"UTF-8\"?><Error><Code>AccessDenied</Code></Error>", "XML text"),
    CONTENT("{\"error\":\"Repository not found\"}", "Repository not found"),
    CONTENT("{ \"message\" : \"Not Found\", \"documentation_url\": \"x\"}", "Not Found"),
    CONTENT("Entry not found", "Entry not found"),
    CONTENT("404: Not Found", "404: Not Found"),
    CONTENT("Access to model x/y is restricted. You must have access to it.", "Access to model"),
    CONTENT("PK\3\4\0\0\x08\x08\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\x10\0\x12\0archive/data.pklFB", "PyTorch"),
    CONTENT("PK\3\4\x14\0\0\0\x08\0model.safetensors", "zip archive"),
    CONTENT("\x80\x02\x8A\x0A\x6C\xFC\x9C\x46\xF9\x20\x6A\xA8\x50\x19.\x80\x02", "PyTorch"),
    CONTENT("\x80\x04\x95\x10\0\0\0\0\0\0\0}\x94", "pickle"),
    CONTENT("\x80\x02}q\0", "pickle"),
    CONTENT("IQ== 0\nIg== 1\n", "tiktoken"),
    CONTENT("\x1F\x8B\x08\0\0\0\0\0\0\x03{}", "gzip"),
    CONTENT("\xFD"
            "7zXZ\0\0\4",
            "xz"),
    CONTENT("\x28\xB5\x2F\xFD\x04\x00", "zstd"),
    CONTENT("BZh91AY&SY", "bzip2"),
    CONTENT("\x89HDF\r\n\x1A\n\0", "HDF5"),
    CONTENT("\xFF\xFE{\0}\0", "UTF-16"),
    CONTENT("\xFE\xFF\0{\0}", "UTF-16"),
    CONTENT("{\0\"\0a\0\"\0:\0001\0}\0", "UTF-16"),
    CONTENT("\0{\0\"\0a\0\"\0:\0001\0}", "UTF-16"),
    CONTENT("\xFF\xFE\0\0{\0\0\0}\0\0\0", "UTF-32"),
    CONTENT("\0\0\xFE\xFF\0\0\0{\0\0\0}", "UTF-32"),
    {NULL, 4096, "zeros"},
    {NULL, 0, "empty"},
};

START_TEST(what_it_looks_like)
{
    static const char zeros[4096];
    open_place();
    for (size_t k = 0; k < sizeof contents / sizeof *contents; k++)
        for (size_t i = 0; i < PLACES; i++) {
            char path[PATH];
            const place *p = &places[i];
            if (p->content == NONE || (p->content == TEMPLATE && contents[k].n == 0)) continue;
            path_of(path, p->file);
            set_aside(path, false);
            write_bytes(p->file, contents[k].bytes ? contents[k].bytes : zeros, contents[k].n);
            const hlm_status st = p->run(p->argument);
            const char *said = hlm_last_error();
            set_aside(path, true);
            ck_assert_msg(st == HLM_E_FORMAT && strstr(said, last_part(p->file)) && strstr(said, contents[k].words),
                          "%s with %s: %s, '%s'", p->file, contents[k].words, hlm_status_name(st), said);
        }
    close_place();
}
END_TEST

/* A byte order mark before what is right. */
START_TEST(marks)
{
    open_place();
    size_t n_marked = 0;
    write_bytes("m/generation_config.json", "{}", 2);
    write_bytes("m/chat_template.jinja", "hello", 5);
    write_bytes("m/additional_chat_templates/rag.jinja", "hello", 5);
    write_bytes("p/added_tokens.json", "{}", 2);
    for (size_t i = 0; i < PLACES; i++) {
        char path[PATH];
        struct stat sb;
        size_t n;
        const place *p = &places[i];
        path_of(path, p->file);
        if ((p->content != TEXT && p->content != TEMPLATE) || stat(path, &sb) != 0) continue;
        const hlm_status before = p->run(p->argument);
        char *text = read_all(path, &n), *marked = malloc(n + 3), said[600];
        snprintf(said, sizeof said, "%s", hlm_last_error());
        memcpy(marked, "\xEF\xBB\xBF", 3);
        memcpy(marked + 3, text, n);
        set_aside(path, false);
        write_bytes(p->file, marked, n + 3);
        const hlm_status st = p->run(p->argument);
        set_aside(path, true);
        /* the adapter is for another model, which is found out later */
        ck_assert_msg(st == before && (st == HLM_OK || p->run == load_adapter), "%s: %s, '%s'", p->file,
                      hlm_status_name(st), hlm_last_error());
        ck_assert_msg(st == HLM_OK || strcmp(said, hlm_last_error()) == 0, "%s: '%s'", said, hlm_last_error());
        n_marked++;
        free(text);
        free(marked);
    }
    ck_assert_uint_ge(n_marked, 12);
    close_place();
}
END_TEST

/* Weights of other kinds, and none. */
START_TEST(other_weights)
{
    static const struct {
        const char *name;
        hlm_status status;
    } cases[] = {{"pytorch_model.bin", HLM_E_FORMAT},
                 {"pytorch_model.bin.index.json", HLM_E_FORMAT},
                 {"consolidated.00.pth", HLM_E_FORMAT},
                 {"tf_model.h5", HLM_E_IO},
                 {"flax_model.msgpack", HLM_E_IO}};
    char path[PATH], name[NAME];
    open_place();
    path_of(path, "m/model.safetensors");
    set_aside(path, false);
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        snprintf(name, sizeof name, "m/%s", cases[i].name);
        write_bytes(name, "PK\3\4", 4);
        REFUSED(load_model("m"), cases[i].status);
        ck_assert_msg(strstr(hlm_last_error(), cases[i].name), "%s", hlm_last_error());
        ck_assert_msg(cases[i].status == HLM_E_FORMAT || strstr(hlm_last_error(), "safetensors"), "%s",
                      hlm_last_error());
        path_of(path, name);
        unlink(path);
    }
    REFUSED(load_model("m"), HLM_E_IO);
    ck_assert_msg(strstr(hlm_last_error(), "no weights"), "%s", hlm_last_error());
    path_of(path, "a/adapter_model.safetensors");
    unlink(path);
    write_bytes("a/adapter_model.bin", "PK\3\4", 4);
    REFUSED(load_adapter("a"), HLM_E_FORMAT);
    ck_assert_msg(strstr(hlm_last_error(), "adapter_model.bin: "), "%s", hlm_last_error());
    copy("models/tiny-llama/model.safetensors", "x.gguf");
    REFUSED(load_model("x.gguf"), HLM_E_FORMAT);
    ck_assert_msg(strstr(hlm_last_error(), "safetensors file: give the folder"), "%s", hlm_last_error());
    copy("models/tiny-llama.gguf", "s/part.safetensors");
    REFUSED(load_model("s"), HLM_E_FORMAT);
    ck_assert_msg(strstr(hlm_last_error(), "a GGUF file"), "%s", hlm_last_error());
    close_place();
}
END_TEST

/* Cut off anywhere: an error that names the file. */
START_TEST(cut_off)
{
    static const struct {
        const char *from, *to, *argument;
    } whole[] = {{"models/tiny-llama.gguf", "x.gguf", "x.gguf"},
                 {"models/tiny-llama/model.safetensors", "m/model.safetensors", "m"}};
    open_place();
    for (size_t k = 0; k < 2; k++) {
        char path[PATH];
        size_t n;
        snprintf(path, sizeof path, "%s/%s", data, whole[k].from);
        char *p = read_all(path, &n);
        for (size_t at = 0; at < n; at += at < 64 ? 1 : n / 60) {
            write_bytes(whole[k].to, p, at);
            REFUSED(load_model(whole[k].argument), HLM_E_FORMAT);
            ck_assert_msg(strstr(hlm_last_error(), last_part(whole[k].to)), "%s", hlm_last_error());
            if (at > 20)
                ck_assert_msg(strstr(hlm_last_error(), "whole?") || strstr(hlm_last_error(), "bytes behind it"),
                              "%zu: %s", at, hlm_last_error());
        }
        free(p);
    }
    close_place();
}
END_TEST

int main(int argc, char **argv)
{
    if (argc != 2) return 2;
    data = argv[1];
    TCase *t = tcase_create("files");
    tcase_add_test(t, kinds_of_files);
    tcase_add_test(t, reasons);
    tcase_add_test(t, what_it_looks_like);
    tcase_add_test(t, marks);
    tcase_add_test(t, other_weights);
    tcase_add_test(t, cut_off);
    return api_main("files", t);
}
