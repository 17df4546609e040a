/* Preloaded into pg-capture where the kernel has no means to slow a disk down: each write into a file below a folder
 * takes as long as it would at a number of bytes a second.
 *
 *   PGC_SLOW_BELOW=FOLDER
 *   PGC_SLOW_RATE=FILE       holds the number, and is read at each write; empty or 0: as fast as it is
 */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

static long rate(void) {
    char text[32] = "";
    const int fd = open(getenv("PGC_SLOW_RATE"), O_RDONLY | O_CLOEXEC);
    if (fd < 0) return 0;
    const ssize_t size = read(fd, text, sizeof text - 1);
    close(fd);
    return size > 0 ? atol(text) : 0;
}

static int is_below(int fd) {
    char link[32], path[4096];
    const char* folder = getenv("PGC_SLOW_BELOW");
    snprintf(link, sizeof link, "/proc/self/fd/%d", fd);
    const ssize_t size = readlink(link, path, sizeof path - 1);
    return size > 0 && strncmp(path, folder, strlen(folder)) == 0;
}

ssize_t write(int fd, const void* bytes, size_t size) {
    const ssize_t written = ((ssize_t(*)(int, const void*, size_t))dlsym(RTLD_NEXT, "write"))(fd, bytes, size);
    const long bytes_a_second = written > 0 && is_below(fd) ? rate() : 0;
    if (bytes_a_second > 0) {
        const double seconds = (double)written / (double)bytes_a_second;
        struct timespec pause = {(time_t)seconds, (long)((seconds - (double)(time_t)seconds) * 1e9)};
        nanosleep(&pause, NULL);
    }
    return written;
}
