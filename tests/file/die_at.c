/* Preloaded into pg-capture: kills it, as kill -9 does, before or after a call that it makes of the system.
 *
 *   PGC_DIE_AT=CALL WHEN COUNT TEXT    "renameat2 after 2 /t/": after the second rename whose paths have "/t/" in them
 *
 * What a call is about is its path, its new path, or, of send, what is sent. */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/types.h>
#include <unistd.h>

static char at_call[32], at_when[8], at_text[128];
static int at_count;

__attribute__((constructor)) static void read_point(void) {
    const char* point = getenv("PGC_DIE_AT");
    if (point == NULL || sscanf(point, "%31s %7s %d %127[^\n]", at_call, at_when, &at_count, at_text) != 4) {
        fputs("die_at: PGC_DIE_AT is missing or is not CALL WHEN COUNT TEXT\n", stderr);
        _exit(99);
    }
}

/* 1: it is this one. */
static int is_it(const char* call, const void* about, size_t size) {
    return strcmp(call, at_call) == 0 && memmem(about, size, at_text, strlen(at_text)) != NULL &&
           __atomic_sub_fetch(&at_count, 1, __ATOMIC_SEQ_CST) == 0;
}

static void die(int it, const char* when) {
    if (it && strcmp(when, at_when) == 0) {
        kill(getpid(), SIGKILL);
        pause();
    }
}

static void* next(const char* name) {
    return dlsym(RTLD_NEXT, name);
}

#define CALL(type, name, about, size, parameters, arguments)              \
    type name parameters {                                                \
        const int it = is_it(#name, about, size);                         \
        die(it, "before");                                                \
        const type result = ((type(*) parameters)next(#name)) arguments;  \
        die(it, "after");                                                 \
        return result;                                                    \
    }

/* What a descriptor is of. */
static size_t path_of(int fd, char* path, size_t room) {
    char link[32];
    snprintf(link, sizeof link, "/proc/self/fd/%d", fd);
    const ssize_t size = readlink(link, path, room - 1);
    path[size < 0 ? 0 : size] = 0;
    return strlen(path);
}

static __thread char path[4096];

CALL(int, fdatasync, path, path_of(fd, path, sizeof path), (int fd), (fd))
CALL(int, fsync, path, path_of(fd, path, sizeof path), (int fd), (fd))
CALL(int, rename, to, strlen(to), (const char* from, const char* to), (from, to))
CALL(int, renameat2, to, strlen(to), (int in, const char* from, int into, const char* to, unsigned flags),
     (in, from, into, to, flags))
CALL(int, unlink, name, strlen(name), (const char* name), (name))
CALL(ssize_t, send, bytes, size, (int fd, const void* bytes, size_t size, int flags), (fd, bytes, size, flags))
