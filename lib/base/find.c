/* A plain search for as long as it pays, then Crochemore and Perrin's two-way search (1991), which needs no memory and
 * looks at each byte a few times at most. The last occurrence is the first one of both texts read backwards. */
#include "base/find.h"

#include <stdint.h>
#include <string.h>

/* A text that may be read backwards. */
typedef struct side {
    const unsigned char *s;
    size_t n;
    bool back;
} side;

static inline unsigned at(const side *t, size_t i)
{
    return t->s[t->back ? t->n - 1 - i : i];
}

/* Where the largest suffix begins by the order of bytes, or by the opposite one; *period receives its period. */
static size_t max_suffix(const side *p, bool opposite, size_t *period, size_t *work)
{
    size_t best = 0, next = 1, k = 0; /* suffixes at `best` and `next`, equal for k bytes */
    *period = 1;
    while (next + k < p->n) {
        const unsigned a = at(p, best + k), b = at(p, next + k);
        ++*work;
        if (a == b) {
            if (++k == *period) {
                next += k;
                k = 0;
            }
        } else if ((a > b) != opposite) { /* the one at `best` stays the larger */
            next += k + 1;
            k = 0;
            *period = next - best;
        } else {
            best = next++;
            k = 0;
            *period = 1;
        }
    }
    return best;
}

static bool repeats(const side *p, size_t head, size_t period, size_t *work)
{
    if (head + period > p->n) return false;
    *work += head;
    for (size_t i = 0; i < head; i++)
        if (at(p, i) != at(p, i + period)) return false;
    return true;
}

static size_t two_way(const side *t, const side *p, size_t *work)
{
    size_t period, other;
    size_t cut = max_suffix(p, false, &period, work);
    const size_t opposite = max_suffix(p, true, &other, work);
    if (opposite > cut) {
        cut = opposite;
        period = other;
    }
    const bool periodic = repeats(p, cut, period, work);
    const size_t m = p->n, jump = periodic ? period : (cut > m - cut ? cut : m - cut) + 1;
    size_t known = 0; /* bytes of the part that match already */
    for (size_t pos = 0; pos <= t->n - m;) {
        size_t i = known > cut ? known : cut;
        const size_t from = i;
        while (i < m && at(p, i) == at(t, pos + i)) i++;
        *work += i - from + 1;
        if (i < m) {
            pos += i - cut + 1;
            known = 0;
            continue;
        }
        i = cut;
        while (i > known && at(p, i - 1) == at(t, pos + i - 1)) i--;
        *work += cut - i + 1;
        if (i <= known) return pos;
        pos += jump;
        known = periodic ? m - period : 0;
    }
    return SIZE_MAX;
}

/* The next place of the part's first byte from `pos` on; t->n when there is none. */
static size_t next_first(const side *t, const side *p, size_t pos)
{
    const size_t end = t->n - p->n + 1;
    if (!t->back) {
        const unsigned char *hit = pos < end ? memchr(t->s + pos, p->s[0], end - pos) : NULL;
        return hit ? (size_t)(hit - t->s) : t->n;
    }
    while (pos < end && at(t, pos) != at(p, 0)) pos++;
    return pos < end ? pos : t->n;
}

/* From `pos` on by comparing wherever the first byte is, until that has cost more than it went over: *pos is then where
 * to go on. true when it has decided, with the place or SIZE_MAX in *found. */
static bool plain(const side *t, const side *p, size_t *pos, size_t *found, size_t *work)
{
    const size_t m = p->n;
    size_t spent = 0, at_byte = 0;
    *found = SIZE_MAX;
    for (;;) {
        const size_t hit = next_first(t, p, at_byte);
        *work += (hit < t->n ? hit : t->n) - at_byte;
        if (hit == t->n) return true;
        at_byte = hit;
        *pos = hit;
        if (spent > 256 + 2 * hit) return false;
        const size_t start = t->back ? t->n - hit - m : hit;
        spent += m;
        *work += m;
        if (memcmp(t->s + start, p->s, m) == 0) {
            *found = hit;
            return true;
        }
        at_byte++;
    }
}

size_t hlmi_find(const char *s, size_t n, const char *part, size_t m, bool last, size_t *work)
{
    size_t looked = 0, pos = 0, found = SIZE_MAX;
    if (m == 0) return last ? n : 0;
    if (m > n) return SIZE_MAX;
    const side t = {(const unsigned char *)s, n, last}, p = {(const unsigned char *)part, m, last};
    if (!plain(&t, &p, &pos, &found, &looked)) {
        const side rest = {last ? t.s : t.s + pos, n - pos, last};
        found = two_way(&rest, &p, &looked);
        if (found != SIZE_MAX) found += pos;
    }
    if (work) *work += looked;
    return found == SIZE_MAX || !last ? found : n - m - found;
}

bool hlmi_among(const char *names, hlmi_str word)
{
    for (size_t n; *names; names += n + (names[n] == ' ')) {
        n = strcspn(names, " ");
        if (n == word.len && memcmp(names, word.s, n) == 0) return true;
    }
    return false;
}
