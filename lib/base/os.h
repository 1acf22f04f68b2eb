/* What the operating system gives: memory, files, time, threads. The only implementations are os_posix*.c and
 * os_win32.c. Paths are UTF-8. */
#ifndef HLMI_BASE_OS_H
#define HLMI_BASE_OS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* memory: signatures of hlm_allocator */
void *hlmi_os_alloc(void *user, size_t size, size_t align);
void hlmi_os_free(void *user, void *ptr);
/** Memory of hlmi_os_alloc is to get large pages, where the system has them (as new memory does), or small ones. */
void hlmi_os_large_pages(void *p, size_t size, bool wanted);

/* Files. Calls return 0 on success, else why not: one of these in the low byte, a number of the system's above it. */
enum {
    HLMI_OS_MISSING = 1, /* no such file, or no such folder */
    HLMI_OS_FOLDER = 2, /* it is a folder */
    HLMI_OS_FAILED = 3,
    HLMI_OS_FULL = 4, /* the disk, a quota or a limit */
    HLMI_OS_SPECIAL = 5, /* a FIFO, a socket, a device */
    HLMI_OS_DANGLING = 6, /* a symbolic link to nothing */
    HLMI_OS_ENDED = 7, /* the file has fewer bytes than it had */
    HLMI_OS_CROWDED = 8 /* too many others write beside it */
};
static inline int hlmi_os_kind(int rc)
{
    return rc & 0xFF;
}
typedef struct hlmi_os_words {
    char s[96];
} hlmi_os_words;
/** The reason in words, to stand behind a colon. Use as hlmi_os_reason(rc).s. */
hlmi_os_words hlmi_os_reason(int rc);

typedef struct hlmi_os_file hlmi_os_file;
/** Opens a plain file for reading. Nothing else is opened, and nothing is waited for. */
int hlmi_os_open(const char *path, hlmi_os_file **file);
uint64_t hlmi_os_size(const hlmi_os_file *file);
int hlmi_os_read_at(hlmi_os_file *file, uint64_t offset, void *out, size_t n);
/** Maps the whole file, of 1 to SIZE_MAX bytes, read-only until close. Once. */
int hlmi_os_map(hlmi_os_file *file, const void **data);
/** Gives back the pages wholly inside [p, p + n) of a mapping; they return when read. */
void hlmi_os_map_drop(const void *p, size_t n);
void hlmi_os_close(hlmi_os_file *file);
/** Calls `each` for every name in a folder but "." and "..", in no order, until it returns false. HLMI_OS_MISSING:
 *  there is no such folder. */
int hlmi_os_list(const char *path, bool (*each)(void *user, const char *name), void *user);

/* A file that takes another's place when it is whole. It is written beside its target, under the target's name with
 * ".saving0" (or another number) behind it, and locked; what a process that died has left there is used again. */
typedef struct hlmi_os_saving hlmi_os_saving;
/** HLMI_OS_MISSING: there is no such folder. What is there already must be a plain file or a symbolic link. */
int hlmi_os_save_begin(const char *path, hlmi_os_saving **s);
int hlmi_os_save_write(hlmi_os_saving *s, const void *data, size_t n);
/** To the disk, in the target's place, and that to the disk too. Frees s, also when it fails: the target is then as
 *  before, but for the last of these failing (*done is then true). */
int hlmi_os_save_commit(hlmi_os_saving *s, bool *done);
/** Removes what was written. Frees s; NULL is fine. */
void hlmi_os_save_abort(hlmi_os_saving *s);

/** Removes a file. HLMI_OS_MISSING: there is none. */
int hlmi_os_remove(const char *path);
/** Makes a folder in one that exists. 0 also when it is there already; *made: it was not. HLMI_OS_MISSING: there is no
 *  such place. */
int hlmi_os_make_dir(const char *path, bool *made);
/** Removes a folder with nothing in it. */
int hlmi_os_remove_dir(const char *path);

/** Monotonic time in ns. */
uint64_t hlmi_os_now(void);
/** Time that the calling thread has computed, in ns; hlmi_os_now where the system does not measure it so finely. */
uint64_t hlmi_os_thread_now(void);
/** Seconds since 1970, UTC. */
int64_t hlmi_os_clock(void);
/** Cores that this process may use, by its affinity and by the quotas of its control groups, at least 1. */
unsigned hlmi_os_cores(void);

/** A random number without opening a file; 0 where the system has none. */
uint64_t hlmi_os_random(void);

/* threads */
typedef struct hlmi_os_thread hlmi_os_thread;
/** NULL when the system refuses. In the new thread signals from outside are blocked; those that say what the thread
 *  itself does (faults, traps, profiling) are not, so that the host's handlers see them. */
hlmi_os_thread *hlmi_os_thread_start(void (*run)(void *), void *arg);
/** Waits for the thread's end. In the child of a fork(), which has none of its parent's threads, it waits for
 *  nothing. */
void hlmi_os_thread_join(hlmi_os_thread *t);
/** A number for this process; the child of a fork() has another. */
uint64_t hlmi_os_process(void);
/** Sleep while *word == value, for at most `ns` (may wake for no reason). */
void hlmi_os_wait(volatile uint32_t *word, uint32_t value, uint64_t ns);
#define HLMI_OS_HOUR ((uint64_t)3600 * 1000 * 1000 * 1000)
void hlmi_os_wake_all(volatile uint32_t *word);
/** How often the system has taken the core from the calling thread, which would have gone on; 0 where it does not
 *  tell. */
uint64_t hlmi_os_core_lost(void);
/** Let another thread of this core run. */
void hlmi_os_yield(void);
/** A hint to the core that this is a spin loop. */
void hlmi_os_pause(void);

#endif
