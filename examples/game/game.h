/* What a game has of its own, and lends to the library: memory, files, threads. The loop is game_loop.c. */
#ifndef GAME_GAME_H
#define GAME_GAME_H

#include <stddef.h>
#include <hybridlm/hybridlm.h>

/* memory.c: an allocator that counts */
hlm_allocator memory_allocator(void);
size_t memory_blocks(void); /* that have not been given back */

/* pack.c: a file of files, mapped */
typedef struct pack pack;
int pack_make(const char *path, const char *model); /* with one file, "model"; 0: done */
pack *pack_map(const char *path); /* NULL: it is none */
void pack_unmap(pack *p);
hlm_vfs pack_vfs(pack *p);

/* jobs.c: threads that look for work while a frame thinks, and sleep otherwise */
typedef struct jobs jobs;
jobs *jobs_start(size_t threads); /* the caller's is one of them; NULL: they can not be had */
void jobs_stop(jobs *j);
void jobs_wake(jobs *j, int awake);
hlm_executor jobs_executor(jobs *j);

/* histogram.c */
double now_us(void);
void print_histogram(const double *us, size_t n);

#endif
