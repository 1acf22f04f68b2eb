/* The format of snapshots: a sequence as bytes (docs/snapshots.md has it as a table). A head; the positions of all
 * layers; the points, which are the positions whose states are kept, and why; pages; the states of the points; rows of
 * the undo log. Positions count the plan's prefix. Numbers are little endian, as on every machine that the library runs
 * on. */
#ifndef HLMI_STATE_SNAPSHOT_H
#define HLMI_STATE_SNAPSHOT_H

#include "base/size.h"
#include "state/cache.h"
#include "state/stream.h"

enum { HLMI_SNAPSHOT_VERSION = 4, HLMI_SNAPSHOT_KERNELS = 32, HLMI_POINTS_IN_BLOCK = 4096 };

#define HLMI_SNAPSHOT_MAGIC "hlmstate"

/** How the model was loaded. */
enum { HLMI_LOADED_F32 = 1, HLMI_LOADED_PORTABLE = 2 };

/** The pages of a track (plan/page_layout.h); ids stand before the rows of each page, and are in no track's count. */
typedef struct hlmi_snapshot_track {
    uint64_t window, bytes, n; /* bytes of a page's rows; pages whose rows are there */
} hlmi_snapshot_track;

typedef struct hlmi_snapshot_head {
    char magic[8];
    uint32_t version, head_bytes;
    uint64_t total; /* bytes of the snapshot */
    uint64_t model[2]; /* fingerprint: weights, settings */
    uint64_t adapters; /* that positions were run with */
    char kernels[HLMI_SNAPSHOT_KERNELS]; /* the kernel class, zeros behind it */
    uint32_t loaded; /* HLMI_LOADED_... */
    int32_t kv_type, state_type; /* HLM_TYPE_... */
    uint32_t page_tokens, undo_tokens;
    uint32_t n_kv, n_rec; /* layers with KV rows; with a recurrence */
    uint32_t left_out; /* pages, from the first on, whose KV rows the prefix cache has (state/radix_save.c); else 0 */
    int64_t length, prefix, max_tokens;
    uint64_t state_bytes, row_bytes; /* of a state, of a row of the undo log */
    uint64_t n_points, n_states, n_rows;
    uint64_t n_tracks; /* with that of ids */
    hlmi_snapshot_track tracks[HLMI_TRACKS];
} hlmi_snapshot_head;

_Static_assert(sizeof(hlmi_snapshot_head) == 376, "the head of a snapshot is 376 bytes");

/** Flags of points in files (state/points.h). */
enum { HLMI_SNAPSHOT_FLAGS = HLMI_POINT_REASONS | HLMI_POINT_HIDDEN | HLMI_POINT_AGAIN };

/** A point of the sequence. */
typedef struct hlmi_snapshot_point {
    int64_t pos;
    uint32_t flags;
    uint32_t rows; /* of the stretch of the undo log that begins there */
} hlmi_snapshot_point;

/** An adapter by its fingerprint. The symbols of pages number them from 1 on. */
typedef struct hlmi_snapshot_adapter {
    uint64_t print[2];
} hlmi_snapshot_adapter;

/** What stands before the tokens of a page. */
typedef struct hlmi_snapshot_page {
    uint32_t tracks; /* bit t: its rows of track t follow */
    uint32_t n; /* positions */
} hlmi_snapshot_page;

/** Does the file hold the state of a point? The state before the first token is known. */
static inline bool hlmi_point_has_state(const hlmi_snapshot_point *p, const hlmi_plan *plan)
{
    return plan->n_rec && p->pos > 0;
}

/** The head of everything that a pool saves, its counts 0. */
void hlmi_snapshot_head_of(hlmi_snapshot_head *h, const hlm_pool *pool);
/** Bytes of a snapshot with this head; false: more than there can be. */
bool hlmi_snapshot_bytes(const hlmi_snapshot_head *h, uint64_t *bytes);

/** Do states and rows of the log lie on the host as they go out? */
static inline bool hlmi_rows_plain(const hlm_pool *pool)
{
    return pool->places[0]->host && pool->states.rows[0] == pool->states.bytes;
}

/** A sequence that is about to be written. */
typedef struct hlmi_snapshot {
    hlm_cache *cache;
    hlmi_snapshot_head head;
    hlmi_snapshot_point *points; /* [head.n_points] the sequence's, one for one */
    uint32_t *numbers; /* of the pool's adapters in the file, from 0 on; NULL: the pool knows none */
    const hlm_adapter **adapters; /* [head.adapters] */
} hlmi_snapshot;

/** What there is to write. Nobody else uses the cache until hlmi_snapshot_end. */
hlm_status hlmi_snapshot_begin(hlmi_snapshot *s, hlm_cache *cache, uint32_t left_out);
hlm_status hlmi_snapshot_write(const hlmi_snapshot *s, hlmi_outlet *o);
void hlmi_snapshot_end(hlmi_snapshot *s);

/** To a file that takes the place of `path` when it is whole. */
hlm_status hlmi_snapshot_write_file(const hlmi_snapshot *s, const char *path);
/** The file's beginning, and its end: it takes its place. *done: it has, even if that is not on the disk (HLM_E_IO). */
hlm_status hlmi_snapshot_open_file(hlmi_os_saving **file, const char *path);
hlm_status hlmi_snapshot_commit_file(hlmi_os_saving *file, const char *path, bool *done);

/** A sequence from an open inlet; nothing is left of it when that fails. `known`: pages that were left out are taken
 *  from the pool's prefix cache. */
hlm_status hlmi_snapshot_read(hlm_cache **out, hlm_pool *pool, hlmi_inlet *in, uint32_t flags, bool known);
hlm_status hlmi_snapshot_read_file(hlm_cache **out, hlm_pool *pool, const char *path, uint32_t flags, bool known);

#endif
