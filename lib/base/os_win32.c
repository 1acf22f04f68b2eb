/* Windows: memory, files, time, threads. */
#define WIN32_LEAN_AND_MEAN
#define _WIN32_WINNT 0x0602 /* Windows 8: WaitOnAddress */
#include "base/os.h"

#include <windows.h>

#include <malloc.h>
#include <process.h>
#include <stdlib.h>

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

/* ---- files ---- */

struct hlmi_os_file {
    HANDLE file;
    HANDLE mapping;
    void *map;
    uint64_t size;
};

/* The path in the system's encoding, to be freed; NULL when it is no UTF-8 or memory is out. */
static wchar_t *wide_path(const char *path)
{
    const int n = MultiByteToWideChar(CP_UTF8, MB_ERR_INVALID_CHARS, path, -1, NULL, 0);
    if (n <= 0) return NULL;
    wchar_t *wide = malloc((size_t)n * sizeof *wide);
    if (wide) MultiByteToWideChar(CP_UTF8, MB_ERR_INVALID_CHARS, path, -1, wide, n);
    return wide;
}

static bool is_dir(const wchar_t *path)
{
    const DWORD a = GetFileAttributesW(path);
    return a != INVALID_FILE_ATTRIBUTES && (a & FILE_ATTRIBUTE_DIRECTORY) != 0;
}

static int open_wide(const wchar_t *path, hlmi_os_file **file)
{
    if (is_dir(path)) return 2;
    const HANDLE h = CreateFileW(path, GENERIC_READ, FILE_SHARE_READ, NULL, OPEN_EXISTING, FILE_ATTRIBUTE_NORMAL, NULL);
    if (h == INVALID_HANDLE_VALUE) {
        const DWORD e = GetLastError();
        return e == ERROR_FILE_NOT_FOUND || e == ERROR_PATH_NOT_FOUND ? 1 : 3;
    }
    LARGE_INTEGER size;
    hlmi_os_file *f = calloc(1, sizeof *f);
    if (!f || GetFileType(h) != FILE_TYPE_DISK || !GetFileSizeEx(h, &size)) {
        free(f);
        CloseHandle(h);
        return 3;
    }
    f->file = h;
    f->size = (uint64_t)size.QuadPart;
    *file = f;
    return 0;
}

int hlmi_os_open(const char *path, hlmi_os_file **file)
{
    wchar_t *wide = wide_path(path);
    if (!wide) return 3;
    const int rc = open_wide(wide, file);
    free(wide);
    return rc;
}

int hlmi_os_size(hlmi_os_file *file, uint64_t *size)
{
    *size = file->size;
    return 0;
}

int hlmi_os_read_at(hlmi_os_file *file, uint64_t offset, void *out, size_t n)
{
    unsigned char *p = out;
    while (n) {
        const DWORD want = n < (1u << 30) ? (DWORD)n : 1u << 30;
        OVERLAPPED at = {.Offset = (DWORD)offset, .OffsetHigh = (DWORD)(offset >> 32)};
        DWORD got = 0;
        if (!ReadFile(file->file, p, want, &got, &at) || got == 0) return 3;
        p += got;
        offset += got;
        n -= got;
    }
    return 0;
}

int hlmi_os_map(hlmi_os_file *file, const void **data)
{
    if (!file->map) {
        if (file->size == 0 || file->size > SIZE_MAX) return 3;
        file->mapping = CreateFileMappingW(file->file, NULL, PAGE_READONLY, 0, 0, NULL);
        if (!file->mapping) return 3;
        file->map = MapViewOfFile(file->mapping, FILE_MAP_READ, 0, 0, 0);
        if (!file->map) {
            CloseHandle(file->mapping);
            file->mapping = NULL;
            return 3;
        }
    }
    *data = file->map;
    return 0;
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
    if (file->mapping) CloseHandle(file->mapping);
    CloseHandle(file->file);
    free(file);
}

bool hlmi_os_is_dir(const char *path)
{
    wchar_t *wide = wide_path(path);
    const bool yes = wide && is_dir(wide);
    free(wide);
    return yes;
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
    t->run = run;
    t->arg = arg;
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

void hlmi_os_wait(volatile uint32_t *word, uint32_t value)
{
    WaitOnAddress(word, &value, sizeof value, INFINITE);
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
