/* Loaded before the C library, it makes calls on the database's files fail, counts them, and sets the clock. What to do
 * stands in a small file that is mapped into memory; its fields are those of evals/src/faults/shim.rs. */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/types.h>
#include <time.h>
#include <unistd.h>

enum { READ = 0, WRITE = 1, SYNC = 2, OPEN = 3 };
enum { ANY = 0, MAIN = 1, LOG = 2 };

struct rule {
    int64_t error; /* 0: none; -1: end the process as kill -9; else errno */
    int64_t skip;  /* calls that are let through first */
    int64_t file;  /* ANY, MAIN or LOG */
    int64_t torn;  /* not 0: half of a write reaches the file before it fails */
    int64_t hits;  /* counted here */
};

struct orders {
    int64_t clock_ms;
    struct rule rules[4];
    int64_t written; /* end of the newest write to the log */
    int64_t synced;  /* end of the newest write to the log that was synced */
};

static struct orders *orders;

#define NEXT(type, name)    \
    static type real;       \
    if (!real) real = (type)dlsym(RTLD_NEXT, name)

typedef ssize_t (*transfer)(int, void *, size_t);
typedef ssize_t (*placed)(int, void *, size_t, off_t);
typedef int (*syncer)(int);
typedef int (*opener)(const char *, int, ...);
typedef int (*teller)(clockid_t, struct timespec *);

__attribute__((constructor)) static void begin(void) {
    const char *path = getenv("PORCHLIGHT_SHIM");
    int fd = path ? open(path, O_RDWR) : -1;
    if (fd < 0) return;
    void *map = mmap(NULL, sizeof *orders, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
    if (map != MAP_FAILED) orders = map;
    close(fd);
}

/* Which of the database's files it is; 0 for none. */
static int file_of(int fd) {
    char link[64], path[4096];
    snprintf(link, sizeof link, "/proc/self/fd/%d", fd);
    ssize_t length = readlink(link, path, sizeof path - 1);
    if (length <= 0) return 0;
    path[length] = 0;
    const char *name = strrchr(path, '/');
    name = name ? name + 1 : path;
    if (!strcmp(name, "porchlight.db")) return MAIN;
    if (!strcmp(name, "porchlight.db-wal")) return LOG;
    return 0;
}

/* The error that this call ends with; 0 lets it through. */
static int64_t fails(int kind, int file) {
    struct rule *rule = &orders->rules[kind];
    int64_t error = __atomic_load_n(&rule->error, __ATOMIC_SEQ_CST);
    if (!error || !file || (rule->file != ANY && rule->file != file)) return 0;
    if (__atomic_fetch_sub(&rule->skip, 1, __ATOMIC_SEQ_CST) > 0) return 0;
    __atomic_fetch_add(&rule->hits, 1, __ATOMIC_SEQ_CST);
    return error;
}

static int64_t fails_on(int kind, int fd) {
    return orders && orders->rules[kind].error ? fails(kind, file_of(fd)) : 0;
}

static ssize_t give(int64_t error) {
    if (error < 0) {
        raise(SIGKILL);
        pause();
    }
    errno = (int)error;
    return -1;
}

static void note(int fd, int64_t end) {
    if (orders && file_of(fd) == LOG) __atomic_store_n(&orders->written, end, __ATOMIC_SEQ_CST);
}

static ssize_t write_at(int fd, const void *bytes, size_t count, off_t at, placed real) {
    int64_t error = fails_on(WRITE, fd);
    if (error) {
        if (orders->rules[WRITE].torn) real(fd, (void *)bytes, count / 2, at);
        return give(error);
    }
    ssize_t done = real(fd, (void *)bytes, count, at);
    if (done > 0) note(fd, at + done);
    return done;
}

ssize_t write(int fd, const void *bytes, size_t count) {
    NEXT(transfer, "write");
    int64_t error = fails_on(WRITE, fd);
    if (error) {
        if (orders->rules[WRITE].torn) real(fd, (void *)bytes, count / 2);
        return give(error);
    }
    ssize_t done = real(fd, (void *)bytes, count);
    if (done > 0 && orders) note(fd, lseek(fd, 0, SEEK_CUR));
    return done;
}

ssize_t pwrite(int fd, const void *bytes, size_t count, off_t at) {
    NEXT(placed, "pwrite");
    return write_at(fd, bytes, count, at, real);
}

ssize_t pwrite64(int fd, const void *bytes, size_t count, off_t at) {
    NEXT(placed, "pwrite64");
    return write_at(fd, bytes, count, at, real);
}

ssize_t read(int fd, void *bytes, size_t count) {
    NEXT(transfer, "read");
    int64_t error = fails_on(READ, fd);
    return error ? give(error) : real(fd, bytes, count);
}

ssize_t pread(int fd, void *bytes, size_t count, off_t at) {
    NEXT(placed, "pread");
    int64_t error = fails_on(READ, fd);
    return error ? give(error) : real(fd, bytes, count, at);
}

ssize_t pread64(int fd, void *bytes, size_t count, off_t at) {
    NEXT(placed, "pread64");
    int64_t error = fails_on(READ, fd);
    return error ? give(error) : real(fd, bytes, count, at);
}

static int sync_with(int fd, syncer real) {
    int64_t error = fails_on(SYNC, fd);
    if (error) return (int)give(error);
    int64_t end = orders ? __atomic_load_n(&orders->written, __ATOMIC_SEQ_CST) : 0;
    int done = real(fd);
    if (!done && orders && file_of(fd) == LOG) __atomic_store_n(&orders->synced, end, __ATOMIC_SEQ_CST);
    return done;
}

int fsync(int fd) {
    NEXT(syncer, "fsync");
    return sync_with(fd, real);
}

int fdatasync(int fd) {
    NEXT(syncer, "fdatasync");
    return sync_with(fd, real);
}

static int open_with(const char *path, int flags, mode_t mode, opener real) {
    int writes = flags & (O_WRONLY | O_RDWR | O_CREAT);
    int below = orders && writes && orders->rules[OPEN].error && strstr(path, "/data/");
    int64_t error = below ? fails(OPEN, MAIN) : 0;
    return error ? (int)give(error) : real(path, flags, mode);
}

int open(const char *path, int flags, ...) {
    NEXT(opener, "open");
    va_list rest;
    va_start(rest, flags);
    mode_t mode = va_arg(rest, mode_t);
    va_end(rest);
    return open_with(path, flags, mode, real);
}

int open64(const char *path, int flags, ...) {
    NEXT(opener, "open64");
    va_list rest;
    va_start(rest, flags);
    mode_t mode = va_arg(rest, mode_t);
    va_end(rest);
    return open_with(path, flags, mode, real);
}

int clock_gettime(clockid_t clock, struct timespec *time) {
    NEXT(teller, "clock_gettime");
    int done = real(clock, time);
    if (!done && clock == CLOCK_REALTIME && orders)
        time->tv_sec += __atomic_load_n(&orders->clock_ms, __ATOMIC_SEQ_CST) / 1000;
    return done;
}
