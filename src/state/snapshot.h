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

/** A sequence on its way out or in. */
typedef struct hlmi_snapshot {
    hlm_pool *pool;
    hlm_cache *cache;
    hlmi_stream *io;
    hlmi_snapshot_head head;
    hlmi_snapshot_point *points; /* [head.n_points] */
    hlmi_snapshot_adapter *adapters; /* [head.adapters] */
    size_t cap_points, cap_adapters;
    uint32_t *numbers; /* the other side's, of adapters by their numbers on this one, from 0 on; NULL: there are none */
    char *ids; /* head and tokens of a page */
    char *desk; /* a state, a row of the undo log, or rows of a page, that can not go as they lie */
} hlmi_snapshot;

/* Blocks, which go out or are read by what the stream does. */

/** Takes memory for what follows. */
hlm_status hlmi_snapshot_memory(hlmi_snapshot *s);
/** The positions of the layers. *now: where the sequence stands, which is found when it is read. */
hlm_status hlmi_snapshot_layers(hlmi_snapshot *s, int64_t *now);
hlm_status hlmi_snapshot_adapters(hlmi_snapshot *s);
hlm_status hlmi_snapshot_points(hlmi_snapshot *s);
/** The rows of a page. */
hlm_status hlmi_snapshot_rows(hlmi_snapshot *s, const hlmi_page *page);
/** The states of points, and their rows of the undo log; those are passed over that the sequence has no room for. */
hlm_status hlmi_snapshot_states(hlmi_snapshot *s);
/** Frees all but the cache. */
void hlmi_snapshot_end(hlmi_snapshot *s);

/* Whole snapshots */

/** What there is to write. Nobody else uses the cache until hlmi_snapshot_end, which is for the caller, also when this
 *  fails. */
hlm_status hlmi_snapshot_begin(hlmi_snapshot *s, hlm_cache *cache, uint32_t left_out);
/** To a stream that is not open. */
hlm_status hlmi_snapshot_write(hlmi_snapshot *s, hlmi_stream *io);

/** A sequence from a stream that is not open; nothing is left of it when that fails. `known`: pages that were left out
 *  are taken from the pool's prefix cache. */
hlm_status hlmi_snapshot_read(hlm_cache **out, hlm_pool *pool, hlmi_stream *io, uint32_t flags, bool known);

#endif
