/* Times of frames as people see them. */
#define _POSIX_C_SOURCE 200809L
#include "game.h"

#include <stdio.h>
#include <time.h>

enum { BINS = 12, BIN_US = 500 };

double now_us(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec * 1e6 + (double)t.tv_nsec * 1e-3;
}

void print_histogram(const double *us, size_t n)
{
    size_t count[BINS] = {0};
    for (size_t i = 0; i < n; i++) {
        const double bin = us[i] / (double)BIN_US;
        count[bin < (double)(BINS - 1) ? (size_t)bin : BINS - 1]++;
    }
    printf("\nms of a frame    frames (%zu)\n", n);
    for (size_t b = 0; b < BINS; b++) {
        const int last = b + 1 == BINS;
        printf("%s %4.1f %10zu ", last ? "above" : "up to", (double)(b + !last) * (double)BIN_US / 1000, count[b]);
        for (size_t k = 0; k < 50 * count[b] / n; k++) putchar('#');
        puts("");
    }
}
