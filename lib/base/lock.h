/* A lock for a few instructions at a time. */
#ifndef HLMI_BASE_LOCK_H
#define HLMI_BASE_LOCK_H

#include <stdatomic.h>

#include "base/os.h"

typedef struct hlmi_lock {
    atomic_flag held;
} hlmi_lock;

static inline void hlmi_lock_init(hlmi_lock *l)
{
    atomic_flag_clear(&l->held);
}

static inline void hlmi_lock_take(hlmi_lock *l)
{
    while (atomic_flag_test_and_set_explicit(&l->held, memory_order_acquire)) hlmi_os_yield();
}

static inline void hlmi_lock_drop(hlmi_lock *l)
{
    atomic_flag_clear_explicit(&l->held, memory_order_release);
}

#endif
