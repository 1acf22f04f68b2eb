/* What a file looks like by its first bytes: what people have in the place of a model because a download, a checkout or
 * a copy went otherwise than they think. */
#include "base/looks.h"

#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include "base/size.h"

#define AGAIN "download the file again"
#define UNPACK "unpack it"
#define CONVERT "pickles are read as the weights of a folder (pytorch_model.bin) alone: give the folder"
#define LFS "a Git LFS pointer, not the file that it stands for: fetch that with 'git lfs pull'"
#define UTF8 "save it as UTF-8"

typedef struct magic {
    size_t at, n;
    const char *bytes;
    const char *words;
} magic;

#define MAGIC(at, bytes, words)        \
  {                                    \
    at, sizeof bytes - 1, bytes, words \
  }

/* The first that fits. */
static const magic magics[] = {
    MAGIC(0, "version https://git-lfs", LFS),
    MAGIC(0, "version https://hawser", LFS),
    MAGIC(0, "/annex/objects/",
          "a git-annex pointer, not the file that it stands for: fetch that with 'git annex get'"),
    MAGIC(0, "\x1F\x8B", "gzip-compressed data: " UNPACK),
    MAGIC(0, "\x1F\x9D", "data of compress (.Z): " UNPACK),
    MAGIC(0, "\3757zXZ\0", "xz-compressed data: " UNPACK),
    MAGIC(0, "\x28\xB5\x2F\xFD", "zstd-compressed data: " UNPACK),
    MAGIC(0, "\x04\x22\x4D\x18", "lz4-compressed data: " UNPACK),
    MAGIC(0, "BZh", "bzip2-compressed data: " UNPACK),
    MAGIC(0, "7z\xBC\xAF\x27\x1C", "a 7z archive: " UNPACK),
    MAGIC(0, "Rar!\x1A\x07", "a rar archive: " UNPACK),
    MAGIC(257, "ustar", "a tar archive: " UNPACK),
    MAGIC(0, "PK\5\6", "an empty zip archive: " AGAIN),
    MAGIC(0, "\x80\x02\x8A\x0A\x6C\xFC\x9C\x46\xF9\x20\x6A\xA8\x50\x19", "a PyTorch file (pickles): " CONVERT),
    MAGIC(0, "ccollections\nOrderedDict", "a Python pickle: " CONVERT),
    MAGIC(0, "(dp0\n", "a Python pickle: " CONVERT),
    MAGIC(0, "(lp0\n", "a Python pickle: " CONVERT),
    MAGIC(0, "\x89HDF\r\n\x1A\n", "an HDF5 file of Keras or TensorFlow: convert it to safetensors"),
    MAGIC(0, "\x93NUMPY", "a NumPy array: convert it to safetensors"),
    MAGIC(4, "TFL3", "a TensorFlow Lite model, which this library does not read"),
    MAGIC(0, "lmgg", "a ggml file from before GGUF: convert the original model again"),
    MAGIC(0, "fmgg", "a ggmf file from before GGUF: convert the original model again"),
    MAGIC(0, "tjgg", "a ggjt file from before GGUF: convert the original model again"),
    MAGIC(0, "algg", "an adapter from before GGUF: convert the original adapter again"),
    MAGIC(0, "hlmstate", "a snapshot of a sequence"),
    MAGIC(0, "hlmtexts", "the index of a saved prefix cache"),
    MAGIC(0, "%PDF", "a PDF document: " AGAIN),
    MAGIC(0, "\x89PNG", "a picture (PNG): " AGAIN),
    MAGIC(0, "\xFF\xD8\xFF", "a picture (JPEG): " AGAIN),
    MAGIC(0, "GIF8", "a picture (GIF): " AGAIN),
    MAGIC(0, "\177ELF", "a program or library (ELF): " AGAIN),
    MAGIC(0, "SQLite format 3", "an SQLite database: " AGAIN),
    MAGIC(0, "IQ== 0\n", "tiktoken's list of tokens, which is not read: put the model's tokenizer.json beside it"),
    MAGIC(0, "d8:announce", "a torrent, not the file that it leads to"),
    MAGIC(0, "\0\x05\x16\x07", "an AppleDouble file (\"._\"), what macOS keeps beside a file: give the file itself"),
    MAGIC(0, "\xFF\xFE\0\0", "text in UTF-32: " UTF8),
    MAGIC(0, "\0\0\xFE\xFF", "text in UTF-32: " UTF8),
    MAGIC(0, "\xFF\xFE", "text in UTF-16: " UTF8),
    MAGIC(0, "\xFE\xFF", "text in UTF-16: " UTF8),
};

/* What servers send in the place of a file. */
static const char *const answers[] = {
    "Entry not found",
    "Repository not found",
    "Revision not found",
    "Invalid username or password",
    "Invalid credentials",
    "Access to model",
    "Access denied",
    "404",
    "403 ",
    "401 ",
    "500 ",
    "502 ",
    "503 ",
    "429 ",
    "Not Found",
    "Forbidden",
    "Unauthorized",
    "Internal Server Error",
    "Bad Gateway",
    "Service Unavailable",
    "Gateway Time",
    "Too Many Requests",
    "Moved Permanently",
    "Found. Redirecting",
};

static const char *const error_keys[] = {"error", "errors", "message", "detail", "error_description",
                                         "Error", "Message"};

static bool begins(const unsigned char *p, size_t n, const char *with)
{
    const size_t k = strlen(with);
    return n >= k && memcmp(p, with, k) == 0;
}

/* The same, letters of either case. */
static bool begins_word(const unsigned char *p, size_t n, const char *with)
{
    for (size_t i = 0; with[i]; i++) {
        if (i == n) return false;
        const unsigned char c = p[i] >= 'A' && p[i] <= 'Z' ? (unsigned char)(p[i] | 0x20) : p[i];
        if (c != (unsigned char)with[i]) return false;
    }
    return true;
}

static bool holds(const unsigned char *p, size_t n, const char *what)
{
    for (size_t i = 0; i + strlen(what) <= n; i++)
        if (memcmp(p + i, what, strlen(what)) == 0) return true;
    return false;
}

/* The first byte that is no blank. */
static size_t blanks(const unsigned char *p, size_t n)
{
    size_t i = 0;
    while (i < n && (p[i] == ' ' || p[i] == '\t' || p[i] == '\r' || p[i] == '\n')) i++;
    return i;
}

/* ---- the kinds that need more than a few bytes ---- */

/* Two to four letters of ASCII in UTF-16 without a mark; `first` is where letters are. */
static bool is_wide(const unsigned char *p, size_t n, size_t first)
{
    if (n < 4) return false;
    for (size_t i = 0; i < hlmi_min_size(n, 8); i++)
        if ((p[i] != 0 && p[i] < 0x80) != (i % 2 == first)) return false;
    return true;
}

static const char *binary(const unsigned char *p, size_t n)
{
    for (size_t i = 0; i < sizeof magics / sizeof *magics; i++) {
        const magic *m = &magics[i];
        if (m->at <= n && n - m->at >= m->n && memcmp(p + m->at, m->bytes, m->n) == 0) return m->words;
    }
    if (begins(p, n, "PK\3\4"))
        return holds(p, n, ".pkl") || holds(p, n, "archive/") ? "a PyTorch file (a zip archive of pickles): " CONVERT
            : holds(p, n, ".npy")                             ? "a NumPy archive: convert it to safetensors"
                                                              : "a zip archive: " UNPACK;
    /* PROTO, its number, and an operation of those that begin */
    if (n > 2 && p[0] == 0x80 && p[1] >= 1 && p[1] <= 5 && memchr("}]()cXKqN\x8A\x95\x8C", p[2], 12))
        return "a Python pickle: " CONVERT;
    if (is_wide(p, n, 0) || is_wide(p, n, 1)) return "text in UTF-16: " UTF8;
    size_t zeros = 0;
    while (zeros < n && p[zeros] == 0) zeros++;
    if (n >= 64 && zeros == n) return "zeros, as of a download that has not ended: " AGAIN;
    return NULL;
}

static const char *page(const unsigned char *p, size_t n)
{
    static const char *const html[] = {"<!doctype html", "<html", "<head>", "<body"};
    static const char *const xml[] = {"<?xml", "<error>"};
    for (size_t i = 0; i < sizeof html / sizeof *html; i++)
        if (begins_word(p, n, html[i])) return "an HTML page, as servers send it for an error or a login: " AGAIN;
    for (size_t i = 0; i < sizeof xml / sizeof *xml; i++)
        if (begins_word(p, n, xml[i])) return "an XML text, as servers send it for an error: " AGAIN;
    return NULL;
}

static const unsigned char *behind_blanks(const unsigned char *p, const unsigned char *end)
{
    return p + blanks(p, (size_t)(end - p));
}

/* A small JSON object that begins with an error and no number: numbers may be the ids of tokens of that name. */
static bool is_error_object(const unsigned char *p, size_t n)
{
    const unsigned char *end = p + n;
    if (n == 0 || *p != '{') return false;
    p = behind_blanks(p + 1, end);
    if (p == end || *p++ != '"') return false;
    for (size_t i = 0; i < sizeof error_keys / sizeof *error_keys; i++) {
        const size_t k = strlen(error_keys[i]);
        if (!begins(p, (size_t)(end - p), error_keys[i]) || (size_t)(end - p) == k || p[k] != '"') continue;
        p = behind_blanks(p + k + 1, end);
        if (p == end || *p != ':') return false;
        p = behind_blanks(p + 1, end);
        return p != end && memchr("\"{[tf", *p, 5);
    }
    return false;
}

static bool is_answer(const unsigned char *p, size_t n, uint64_t size)
{
    if (size > HLMI_LOOKS_HEAD || holds(p, n, "{")) return false;
    for (size_t i = 0; i < sizeof answers / sizeof *answers; i++)
        if (begins(p, n, answers[i])) return true;
    return false;
}

static bool is_safetensors(const unsigned char *p, size_t n)
{
    return n > 8 && p[4] == 0 && p[5] == 0 && p[6] == 0 && p[7] == 0 && p[8] == '{';
}

static bool is_text(const unsigned char *p, size_t n)
{
    for (size_t i = 0; i < n; i++)
        if ((p[i] < 0x20 && p[i] != '\t' && p[i] != '\r' && p[i] != '\n') || p[i] == 0x7F || p[i] >= 0xF8) return false;
    return n > 0;
}

/* ---- words ---- */

static hlmi_looks known(hlmi_look kind, const char *words)
{
    hlmi_looks l = {.kind = kind};
    snprintf(l.s, sizeof l.s, ": it looks like %s", words);
    return l;
}

static hlmi_looks quoted(hlmi_look kind, const char *words, const unsigned char *p, size_t n)
{
    char begin[49];
    const size_t k = hlmi_min_size(n, sizeof begin - 1);
    for (size_t i = 0; i < k; i++) begin[i] = p[i] >= 0x20 && p[i] < 0x7F ? (char)p[i] : ' ';
    begin[k] = '\0';
    hlmi_looks l = {.kind = kind};
    snprintf(l.s, sizeof l.s, ": it looks like %s: '%s%s'", words, begin, k < n ? "..." : "");
    return l;
}

hlmi_looks hlmi_looks_like(const void *head, size_t n, uint64_t size)
{
    const unsigned char *p = head;
    n = hlmi_min_size(n, HLMI_LOOKS_HEAD);
    if (size == 0) return (hlmi_looks){HLMI_LOOK_EMPTY, ": it is empty, as of a download that did not begin: " AGAIN};
    if (begins(p, n, "GGUF")) return known(HLMI_LOOK_GGUF, "a GGUF file");
    if (is_safetensors(p, n))
        return known(HLMI_LOOK_SAFETENSORS, "a safetensors file: give the folder that it lies in");
    const char *words = binary(p, n);
    if (words) return known(HLMI_LOOK_FOREIGN, words);
    if (begins(p, n, "\xEF\xBB\xBF")) p += 3, n -= 3; /* a byte order mark */
    const size_t skip = blanks(p, n);
    p += skip;
    n -= skip;
    words = page(p, n);
    if (words) return known(HLMI_LOOK_FOREIGN, words);
    if (size <= 8192 && is_error_object(p, n))
        return quoted(HLMI_LOOK_FOREIGN, "a server's error message in JSON", p, n);
    if (is_answer(p, n, size)) return quoted(HLMI_LOOK_FOREIGN, "a server's error message", p, n);
    if (n && (*p == '{' || *p == '[') && is_text(p, n)) return known(HLMI_LOOK_JSON, "JSON");
    if (is_text(p, n)) return quoted(HLMI_LOOK_TEXT, "text", p, n);
    return (hlmi_looks){HLMI_LOOK_UNKNOWN, ""};
}
