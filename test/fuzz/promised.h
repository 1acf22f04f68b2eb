/* What a fuzz target holds the library to: a broken promise ends it. */
#ifndef TEST_FUZZ_PROMISED_H
#define TEST_FUZZ_PROMISED_H

#define PROMISED(cond)             \
  do {                             \
    if (!(cond)) __builtin_trap(); \
  } while (0)

#endif
