/* Peaks of this machine for the instructions of a kernel table, operations a second; 0 where unknown. */
#ifndef CHECKKERN_PEAK_H
#define CHECKKERN_PEAK_H

#include "checkkern.h"

typedef struct ck_peaks {
    double f32; /* fused multiply-adds of f32, two operations each */
    double bf16; /* bf16 dots, or f32 where there are none */
    double int8; /* dots of 4 bytes as the kernels take them: VNNI, or vpmaddubsw and an addition */
} ck_peaks;

ck_peaks ck_peaks_measure(ck_run *t, const hlmi_kernels *k);

#endif
