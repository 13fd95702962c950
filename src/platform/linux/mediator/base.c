/*
 * The mediator: carries out system calls that the filter hands to it, for callers whose word it never takes twice.
 *
 * It uses no library and nothing of its process but this code, one stack and the configuration, so that it can go
 * on when all the rest of a forked process is unmapped, and as a thread that the runtime does not know. Numbers
 * of calls (CALL_name) and flags that differ between machines are defined by whoever compiles it (compile.ts).
 */

/* The system call itself: machine code that whoever compiles this gives (assembly.ts). Answers -errno. */
typedef long (*system_call)(long number, long a, long b, long c, long d, long e, long f);
static system_call system;

#define CALL(name, a, b, c, d, e, f) system(CALL_##name, (long)(a), (long)(b), (long)(c), (long)(d), (long)(e), (long)(f))

/* include/uapi/asm-generic/errno-base.h and errno.h; 512 and above never reach a program. */
enum {
  EPERM = 1, ENOENT = 2, ESRCH = 3, EINTR = 4, EBADF = 9, EAGAIN = 11, EACCES = 13, EFAULT = 14, EINVAL = 22,
  ENOTTY = 25, ERANGE = 34, ENAMETOOLONG = 36, ENOSYS = 38, ELOOP = 40, ENOTUNIQ = 76, ENOBUFS = 105, EALREADY = 114,
  ECONNREFUSED = 111, EINPROGRESS = 115, E2BIG = 7, EEXIST = 17, ENFILE = 23, EMFILE = 24,
  EMSGSIZE = 90, EISCONN = 106,
  /* Beyond any result: somebody else answers later; the kernel does it as if it had not been asked about. */
  DEFERRED = 1 << 30, CONTINUED,
};

/* include/uapi/linux/seccomp.h */
struct request {
  u64 id;
  u32 tid;
  u32 flags;
  u32 number;
  u32 architecture;
  u64 instruction;
  u64 arguments[6];
};
struct answer {
  u64 id;
  long value;
  int error;
  u32 flags;
};
struct added_descriptor {
  u64 id;
  u32 flags;
  u32 source;
  u32 target;
  u32 target_flags;
};
enum { NOTIF_RECV = 0xc0502100, NOTIF_SEND = 0xc0182101, NOTIF_ID_VALID = 0x40082102, NOTIF_ADDFD = 0x40182103,
  NOTIF_SET_FLAGS = 0x40082104, SYNC_WAKE_UP = 1, ADDFD_SEND = 2, GOES_ON = 1 };

/* The layout is encodeMediation()'s (sandbox/linux/mediation.ts): 64-bit words, then text. */
enum { NETWORK_ALLOWED, NETWORK_BLOCKED, NETWORK_PORTS, NETWORK_LOOPBACK };
enum { GRANT_TREE, GRANT_FILE, GRANT_SOCKET };
struct grant {
  long kind;
  long offset;
  long length;
  long descriptor;
  /* By now(): see is_still_there(). */
  long there_until;
};
struct configuration {
  long bytes;
  long network;
  long grants;
  long ports;
  /* Whether local datagram sockets exist. */
  long datagrams;
  /* Where in it struct asking is; 0 where nobody is asked. */
  long asking;
  struct grant grant[1];
};

/* One 16-bit port in each word, with what it may be used for. */
enum { PORT_CONNECT = 1 << 16, PORT_BIND = 1 << 17 };

static struct configuration *configuration;
static int listener;
static struct request request;

/* What a compiler would ask a library for; a word at a time, since this compiler does nothing of the kind by itself. */
static void clear(void *memory, long bytes) {
  u8 *at = memory;
  for (; bytes >= 8; bytes -= 8, at += 8) *(u64 *)at = 0;
  while (bytes-- > 0) *at++ = 0;
}

static void copy(void *to, void *from, long bytes) {
  u8 *target = to, *source = from;
  for (; bytes >= 8; bytes -= 8, target += 8, source += 8) *(u64 *)target = *(u64 *)source;
  while (bytes-- > 0) *target++ = *source++;
}

static long length_of(const char *text) {
  long length = 0;
  while (text[length]) length++;
  return length;
}

static int starts_with(const char *text, const char *start) {
  while (*start) if (*text++ != *start++) return 0;
  return 1;
}

static int are_equal(const char *a, const char *b, long bytes) {
  while (bytes-- > 0) if (*a++ != *b++) return 0;
  return 1;
}

static const char *grant_path(struct grant *grant) { return (char *)configuration + grant->offset; }

static void close_descriptor(long descriptor) {
  if (descriptor >= 0) CALL(close, descriptor, 0, 0, 0, 0, 0);
}

/* Descriptors that one request opened; all are closed when it has been answered. */
enum { OPENED_MAXIMUM = 320 };
static int opened[OPENED_MAXIMUM];
static int opened_count;

static long keep(long descriptor) {
  if (descriptor < 0) return descriptor;
  if (opened_count == OPENED_MAXIMUM) {
    close_descriptor(descriptor);
    return -EAGAIN;
  }
  return opened[opened_count++] = descriptor;
}

/* Takes one of them out: it is closed by somebody else. */
static void release(long descriptor) {
  for (int at = 0; at < opened_count; at++) if (opened[at] == descriptor) opened[at] = -1;
}

/* Those of which none is between the first and the last by one call, which is nearly always. */
static void close_opened(void) {
  if (opened_count == 1) close_descriptor(opened[--opened_count]);
  if (opened_count == 0) return;
  int first = opened[0], last = opened[0];
  for (int at = 1; at < opened_count; at++) {
    if (opened[at] < first) first = opened[at];
    if (opened[at] > last) last = opened[at];
  }
  if (first >= 0 && last - first + 1 == opened_count && CALL(close_range, first, last, 0, 0, 0, 0) == 0) opened_count = 0;
  while (opened_count > 0) close_descriptor(opened[--opened_count]);
}
