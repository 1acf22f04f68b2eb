/* Windows: memory, files, time, threads. */
#define WIN32_LEAN_AND_MEAN
#define _WIN32_WINNT 0x0602 /* Windows 8: WaitOnAddress */
#include "base/os.h"

#include <windows.h>

#include <malloc.h>
#include <process.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <wchar.h>

/* ---- memory ---- */

void *hlmi_os_alloc(void *user, size_t size, size_t align)
{
    (void)user;
    return _aligned_malloc(size, align);
}

void hlmi_os_free(void *user, void *ptr)
{
    (void)user;
    _aligned_free(ptr);
}

/* Windows gives large pages to whom an administrator allows them, and only on request. */
void hlmi_os_large_pages(void *p, size_t size, bool wanted)
{
    (void)p, (void)size, (void)wanted;
}

/* ---- files ---- */

static int why(DWORD error)
{
    switch (error) {
    case ERROR_FILE_NOT_FOUND:
    case ERROR_PATH_NOT_FOUND: return HLMI_OS_MISSING | (int)error << 8;
    case ERROR_DISK_FULL:
    case ERROR_HANDLE_DISK_FULL: return HLMI_OS_FULL | (int)error << 8;
    default: return HLMI_OS_FAILED | (int)error << 8;
    }
}

static int failure(void)
{
    return why(GetLastError());
}

hlmi_os_words hlmi_os_reason(int rc)
{
    static const struct {
        DWORD number;
        const char *words;
    } errors[] = {
        {ERROR_FILE_NOT_FOUND, "No such file"},
        {ERROR_PATH_NOT_FOUND, "No such folder"},
        {ERROR_TOO_MANY_OPEN_FILES, "Too many open files"},
        {ERROR_ACCESS_DENIED, "Permission denied"},
        {ERROR_NOT_ENOUGH_MEMORY, "Cannot allocate memory"},
        {ERROR_WRITE_PROTECT, "Read-only file system"},
        {ERROR_NOT_READY, "The device is not ready"},
        {ERROR_SHARING_VIOLATION, "Another process uses the file"},
        {ERROR_LOCK_VIOLATION, "Another process has locked the file"},
        {ERROR_HANDLE_DISK_FULL, "No space left on device"},
        {ERROR_DISK_FULL, "No space left on device"},
        {ERROR_INVALID_NAME, "Invalid name"},
        {ERROR_DIR_NOT_EMPTY, "Directory not empty"},
        {ERROR_ALREADY_EXISTS, "File exists"},
        {ERROR_FILENAME_EXCED_RANGE, "File name too long"},
        {ERROR_NO_UNICODE_TRANSLATION, "the path is not UTF-8"},
    };
    const int kind = hlmi_os_kind(rc);
    const DWORD number = (DWORD)(rc >> 8);
    const char *words = NULL;
    hlmi_os_words w;
    for (size_t i = 0; i < sizeof errors / sizeof *errors; i++)
        if (errors[i].number == number) words = errors[i].words;
    if (kind == HLMI_OS_FOLDER) words = "it is a folder, not a file";
    if (kind == HLMI_OS_SPECIAL) words = "it is a pipe or a device, not a file";
    if (kind == HLMI_OS_ENDED) words = "the file has become shorter";
    if (kind == HLMI_OS_CROWDED) words = "64 others are being written beside it";
    if (words && kind == HLMI_OS_FULL) snprintf(w.s, sizeof w.s, "no room on the disk (%s)", words);
    else if (words) snprintf(w.s, sizeof w.s, "%s", words);
    else snprintf(w.s, sizeof w.s, "error %lu", (unsigned long)number);
    return w;
}

struct hlmi_os_file {
    HANDLE file;
    void *map;
    uint64_t size;
};

/* The path in the system's encoding, to be freed; NULL, with the error, when it is no UTF-8 or memory is out. */
static wchar_t *wide_path(const char *path)
{
    const int n = MultiByteToWideChar(CP_UTF8, MB_ERR_INVALID_CHARS, path, -1, NULL, 0);
    if (n <= 0) return NULL;
    wchar_t *wide = malloc((size_t)n * sizeof *wide);
    if (!wide) SetLastError(ERROR_NOT_ENOUGH_MEMORY);
    else MultiByteToWideChar(CP_UTF8, MB_ERR_INVALID_CHARS, path, -1, wide, n);
    return wide;
}

static bool is_dir(const wchar_t *path)
{
    const DWORD a = GetFileAttributesW(path);
    return a != INVALID_FILE_ATTRIBUTES && (a & FILE_ATTRIBUTE_DIRECTORY) != 0;
}

static int open_wide(const wchar_t *path, hlmi_os_file **file)
{
    if (is_dir(path)) return HLMI_OS_FOLDER;
    const HANDLE h = CreateFileW(path, GENERIC_READ, FILE_SHARE_READ, NULL, OPEN_EXISTING, FILE_ATTRIBUTE_NORMAL, NULL);
    if (h == INVALID_HANDLE_VALUE) return failure();
    LARGE_INTEGER size;
    hlmi_os_file *f = NULL;
    int rc = GetFileType(h) != FILE_TYPE_DISK ? HLMI_OS_SPECIAL : GetFileSizeEx(h, &size) ? 0 : failure();
    if (rc == 0) f = calloc(1, sizeof *f);
    if (!f) {
        CloseHandle(h);
        return rc ? rc : why(ERROR_NOT_ENOUGH_MEMORY);
    }
    *f = (hlmi_os_file){.file = h, .size = (uint64_t)size.QuadPart};
    *file = f;
    return 0;
}

int hlmi_os_open(const char *path, hlmi_os_file **file)
{
    wchar_t *wide = wide_path(path);
    if (!wide) return failure();
    const int rc = open_wide(wide, file);
    free(wide);
    return rc;
}

uint64_t hlmi_os_size(const hlmi_os_file *file)
{
    return file->size;
}

int hlmi_os_read_at(hlmi_os_file *file, uint64_t offset, void *out, size_t n)
{
    unsigned char *p = out;
    while (n) {
        const DWORD want = n < (1u << 30) ? (DWORD)n : 1u << 30;
        OVERLAPPED at = {.Offset = (DWORD)offset, .OffsetHigh = (DWORD)(offset >> 32)};
        DWORD got = 0;
        const BOOL read = ReadFile(file->file, p, want, &got, &at);
        if (!read && GetLastError() != ERROR_HANDLE_EOF) return failure();
        if (got == 0) return HLMI_OS_ENDED;
        p += got;
        offset += got;
        n -= got;
    }
    return 0;
}

int hlmi_os_map(hlmi_os_file *file, const void **data)
{
    const HANDLE mapping = CreateFileMappingW(file->file, NULL, PAGE_READONLY, 0, 0, NULL);
    if (!mapping) return failure();
    *data = file->map = MapViewOfFile(mapping, FILE_MAP_READ, 0, 0, 0);
    const int rc = file->map ? 0 : failure();
    CloseHandle(mapping); /* the view holds it */
    return rc;
}

void hlmi_os_map_drop(const void *p, size_t n)
{
    SYSTEM_INFO info;
    GetSystemInfo(&info);
    const uintptr_t page = info.dwPageSize;
    const uintptr_t lo = ((uintptr_t)p + page - 1) / page * page, hi = ((uintptr_t)p + n) / page * page;
    /* Unlocking what is not locked removes it from the working set. */
    if (lo < hi) VirtualUnlock((void *)lo, hi - lo);
}

void hlmi_os_close(hlmi_os_file *file)
{
    if (!file) return;
    if (file->map) UnmapViewOfFile(file->map);
    CloseHandle(file->file);
    free(file);
}

int hlmi_os_list(const char *path, bool (*each)(void *user, const char *name), void *user)
{
    WIN32_FIND_DATAW found;
    char name[3 * MAX_PATH + 1];
    const size_t n = strlen(path);
    char *pattern = malloc(n + 3);
    if (!pattern) return why(ERROR_NOT_ENOUGH_MEMORY);
    memcpy(pattern, path, n);
    memcpy(pattern + n, "/*", 3);
    wchar_t *wide = wide_path(pattern);
    free(pattern);
    if (!wide) return failure();
    const HANDLE h = FindFirstFileW(wide, &found);
    const int rc = h == INVALID_HANDLE_VALUE ? failure() : 0;
    free(wide);
    if (rc != 0) return rc;
    bool more = true;
    do {
        if (!WideCharToMultiByte(CP_UTF8, 0, found.cFileName, -1, name, sizeof name, NULL, NULL)) continue;
        if (strcmp(name, ".") != 0 && strcmp(name, "..") != 0) more = each(user, name);
    } while (more && FindNextFileW(h, &found));
    FindClose(h);
    return 0;
}

/* ---- files that take another's place ---- */

/* The file beside the target is open to nobody else while it is written, so that what a dead process left can be told
 * from what another is writing. It is renamed while it is open. */
struct hlmi_os_saving {
    HANDLE file;
    wchar_t *path;
};

enum { MOST_AT_ONCE = 64, SUFFIX = 16 };

/* The first of the names beside the target that nobody writes to. */
static HANDLE open_beside(const wchar_t *path)
{
    const size_t room = wcslen(path) + SUFFIX;
    wchar_t *name = malloc(room * sizeof *name);
    HANDLE h = INVALID_HANDLE_VALUE;
    if (!name) SetLastError(ERROR_NOT_ENOUGH_MEMORY);
    for (unsigned i = 0; name && i < MOST_AT_ONCE; i++) {
        _snwprintf(name, room, L"%ls.saving%u", path, i);
        h = CreateFileW(name, GENERIC_WRITE | DELETE, 0, NULL, CREATE_ALWAYS, FILE_ATTRIBUTE_NORMAL, NULL);
        if (h != INVALID_HANDLE_VALUE || GetLastError() != ERROR_SHARING_VIOLATION) break;
    }
    const DWORD e = GetLastError();
    free(name);
    SetLastError(e);
    return h;
}

int hlmi_os_save_begin(const char *path, hlmi_os_saving **out)
{
    hlmi_os_saving *s = calloc(1, sizeof *s);
    if (!s) return why(ERROR_NOT_ENOUGH_MEMORY);
    int rc = 0;
    s->path = wide_path(path);
    s->file = INVALID_HANDLE_VALUE;
    if (!s->path) rc = failure();
    else if (is_dir(s->path)) rc = HLMI_OS_FOLDER;
    else s->file = open_beside(s->path);
    if (s->file != INVALID_HANDLE_VALUE) {
        *out = s;
        return 0;
    }
    if (rc == 0) rc = GetLastError() == ERROR_SHARING_VIOLATION ? HLMI_OS_CROWDED : failure();
    free(s->path);
    free(s);
    return rc;
}

int hlmi_os_save_write(hlmi_os_saving *s, const void *data, size_t n)
{
    const unsigned char *p = data;
    while (n) {
        const DWORD want = n < (1u << 30) ? (DWORD)n : 1u << 30;
        DWORD put = 0;
        if (!WriteFile(s->file, p, want, &put, NULL)) return failure();
        p += put;
        n -= put;
    }
    return 0;
}

static bool rename_open(hlmi_os_saving *s)
{
    const size_t bytes = wcslen(s->path) * sizeof *s->path;
    FILE_RENAME_INFO *info = calloc(1, sizeof *info + bytes);
    if (!info) return false;
    info->ReplaceIfExists = TRUE;
    info->FileNameLength = (DWORD)bytes;
    memcpy(info->FileName, s->path, bytes);
    const bool ok = SetFileInformationByHandle(s->file, FileRenameInfo, info, (DWORD)(sizeof *info + bytes)) != 0;
    free(info);
    return ok;
}

int hlmi_os_save_commit(hlmi_os_saving *s, bool *done)
{
    *done = FlushFileBuffers(s->file) && rename_open(s);
    if (!*done) {
        const int rc = failure();
        hlmi_os_save_abort(s);
        return rc;
    }
    CloseHandle(s->file); /* the file system's journal sees to the folder */
    free(s->path);
    free(s);
    return 0;
}

void hlmi_os_save_abort(hlmi_os_saving *s)
{
    if (!s) return;
    FILE_DISPOSITION_INFO gone = {.DeleteFile = TRUE};
    SetFileInformationByHandle(s->file, FileDispositionInfo, &gone, sizeof gone);
    CloseHandle(s->file);
    free(s->path);
    free(s);
}

int hlmi_os_remove(const char *path)
{
    wchar_t *wide = wide_path(path);
    const int rc = wide && DeleteFileW(wide) ? 0 : failure();
    free(wide);
    return rc;
}

int hlmi_os_make_dir(const char *path, bool *made)
{
    wchar_t *wide = wide_path(path);
    *made = wide && CreateDirectoryW(wide, NULL);
    const int rc = *made ? 0 : failure();
    const bool there = wide && is_dir(wide);
    free(wide);
    return there ? 0 : rc;
}

int hlmi_os_remove_dir(const char *path)
{
    wchar_t *wide = wide_path(path);
    const int rc = wide && RemoveDirectoryW(wide) ? 0 : failure();
    free(wide);
    return rc;
}

/* ---- time ---- */

uint64_t hlmi_os_now(void)
{
    LARGE_INTEGER count, per_second;
    QueryPerformanceCounter(&count);
    QueryPerformanceFrequency(&per_second);
    const uint64_t c = (uint64_t)count.QuadPart, f = (uint64_t)per_second.QuadPart;
    return c / f * 1000000000u + c % f * 1000000000u / f;
}

uint64_t hlmi_os_thread_now(void)
{
    return hlmi_os_now();
}

int64_t hlmi_os_clock(void)
{
    /* In units of 100 ns since 1601. */
    FILETIME t;
    GetSystemTimeAsFileTime(&t);
    const int64_t since_1601 = (int64_t)((uint64_t)t.dwHighDateTime << 32 | t.dwLowDateTime);
    return since_1601 / 10000000 - 11644473600;
}

uint64_t hlmi_os_process(void)
{
    return GetCurrentProcessId();
}

unsigned hlmi_os_cores(void)
{
    DWORD_PTR mine, all;
    unsigned n = 0;
    if (GetProcessAffinityMask(GetCurrentProcess(), &mine, &all)) {
        for (; mine; mine &= mine - 1) n++;
    }
    if (n) return n;
    /* A process spread over several groups of processors has no mask. */
    const DWORD active = GetActiveProcessorCount(ALL_PROCESSOR_GROUPS);
    return active ? active : 1;
}

uint64_t hlmi_os_random(void)
{
    return 0;
}

/* ---- threads ---- */

/* Tasks fit 16 KB; the rest is for the C library and sanitizers. */
enum { STACK_BYTES = 256 * 1024 };

struct hlmi_os_thread {
    HANDLE handle;
    void (*run)(void *);
    void *arg;
};

static unsigned __stdcall thread_main(void *p)
{
    hlmi_os_thread *t = p;
    t->run(t->arg);
    return 0;
}

hlmi_os_thread *hlmi_os_thread_start(void (*run)(void *), void *arg)
{
    hlmi_os_thread *t = malloc(sizeof *t);
    if (!t) return NULL;
    *t = (hlmi_os_thread){.run = run, .arg = arg};
    t->handle = (HANDLE)_beginthreadex(NULL, STACK_BYTES, thread_main, t, STACK_SIZE_PARAM_IS_A_RESERVATION, NULL);
    if (!t->handle) {
        free(t);
        return NULL;
    }
    return t;
}

void hlmi_os_thread_join(hlmi_os_thread *t)
{
    WaitForSingleObject(t->handle, INFINITE);
    CloseHandle(t->handle);
    free(t);
}

void hlmi_os_wait(volatile uint32_t *word, uint32_t value, uint64_t ns)
{
    const uint64_t ms = ns / (1000 * 1000) + 1;
    WaitOnAddress(word, &value, sizeof value, ms < INFINITE ? (DWORD)ms : INFINITE - 1);
}

uint64_t hlmi_os_core_lost(void)
{
    return 0;
}

void hlmi_os_wake_all(volatile uint32_t *word)
{
    WakeByAddressAll((void *)word);
}

void hlmi_os_yield(void)
{
    SwitchToThread();
}

void hlmi_os_pause(void)
{
    YieldProcessor();
}
