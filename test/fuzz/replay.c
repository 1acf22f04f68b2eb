/* Runs a fuzz target over files, without a fuzzer: the tests replay the corpus this way.
 *
 *   fuzz_X_replay FOLDER...     every file directly in the folders */
#include <dirent.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* 1: replayed. 0: not an ordinary file that can be read. */
static int replay(const char *path)
{
    FILE *f = fopen(path, "rb");
    long size = -1;
    uint8_t *data = NULL;
    int done = 0;
    if (f && fseek(f, 0, SEEK_END) == 0) size = ftell(f);
    if (size >= 0 && size < 1 << 26) data = malloc((size_t)size + 1);
    if (data) {
        rewind(f);
        done = fread(data, 1, (size_t)size, f) == (size_t)size;
        if (done) LLVMFuzzerTestOneInput(data, (size_t)size);
    }
    free(data);
    if (f) fclose(f);
    return done;
}

int main(int argc, char **argv)
{
    int passed = 0, failed = 0;
    for (int i = 1; i < argc; i++) {
        DIR *dir = opendir(argv[i]);
        if (!dir) {
            printf("%s: no such folder\n", argv[i]);
            failed++;
            continue;
        }
        for (const struct dirent *e; (e = readdir(dir)) != NULL;) {
            char path[4096];
            if (e->d_name[0] == '.') continue;
            snprintf(path, sizeof path, "%s/%s", argv[i], e->d_name);
            const int done = replay(path);
            if (!done) printf("%s: can not be read\n", path);
            passed += done;
            failed += !done;
        }
        closedir(dir);
    }
    printf("%d passed, %d failed\n", passed, failed);
    return failed || !passed;
}
