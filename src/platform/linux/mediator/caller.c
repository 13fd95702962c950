/*
 * What is taken from a caller. It is stopped, but its other threads and whoever shares its memory are not: each
 * piece is copied once, and only the copy is looked at and used.
 *
 * The kernel lets these calls through only for a process with the same user and group ids and no capability that
 * the mediator lacks (ptrace_may_access of kernel/ptrace.c), which the mediator's own equal those of the command at
 * its start: a caller with others is refused.
 */

/* include/uapi/linux/openat2.h and pidfd.h */
enum { RESOLVE_NO_MAGICLINKS = 2, RESOLVE_NO_SYMLINKS = 4, RESOLVE_BENEATH = 8, PIDFD_THREAD = 0x80 };
enum { PATH_BYTES = 4096, PAGE_BYTES = 4096 };
#define AT_FDCWD (-100)
enum { AT_SYMLINK_NOFOLLOW = 0x100, AT_EACCESS = 0x200, AT_EMPTY_PATH = 0x1000, W_OK = 2 };
enum { O_RDONLY = 0, O_WRONLY = 1, O_RDWR = 2, O_ACCMODE = 3, O_NOCTTY = 0x100, O_NONBLOCK = 0x800, O_CLOEXEC = 0x80000, O_PATH = 0x200000, F_GETFL = 3 };

struct how { u64 flags, mode, resolve; };
struct vector { u64 address, bytes; };
/* struct statx of include/uapi/linux/stat.h, the first 256 bytes */
struct facts {
  u32 mask, blksize;
  u64 attributes;
  u32 nlink, uid, gid;
  u16 mode, spare;
  u64 ino, size, blocks, attributes_mask;
  u64 times[8];
  u32 rdev_major, rdev_minor, dev_major, dev_minor;
  u64 rest[14];
};
enum { S_IFMT = 0170000, S_IFREG = 0100000, S_IFDIR = 0040000, S_IFLNK = 0120000, S_IFSOCK = 0140000, S_IFIFO = 0010000, S_IFCHR = 0020000 };

static struct how how;
static int own_capabilities[6];

static int is_waiting(u64 id) { return CALL(ioctl, listener, NOTIF_ID_VALID, &id, 0, 0, 0) == 0; }

/* Effective, permitted, inheritable; the low 32 then the high 32. */
static long capabilities_of(long tid, int *sets) {
  u32 header[2];
  header[0] = 0x20080522;
  header[1] = tid;
  return CALL(capget, header, sets, 0, 0, 0, 0);
}

/* A process that gave up capabilities must not get them back through the mediator. */
static int has_own_capabilities(void) {
  int sets[6];
  /* The kernel let nobody through who has more than the mediator. */
  if (own_capabilities[0] == 0 && own_capabilities[3] == 0) return 1;
  if (capabilities_of(request.tid, sets) < 0) return 0;
  return sets[0] == own_capabilities[0] && sets[3] == own_capabilities[3];
}

/* Whether the caller still waits, and is what it was at its start. Asked in this order: a number that is somebody else's by now says nothing about the caller. */
static int may_act(void) { return has_own_capabilities() && is_waiting(request.id); }

/* User ids have ten digits; a number that has more has no end. */
enum { NUMBER_LIMIT = 1000000000, DESCRIPTOR_MAXIMUM = 0x7fffffff };

static long parse_number(const char *text, const char **end) {
  long number = 0;
  if (*text < '0' || *text > '9') return -1;
  while (*text >= '0' && *text <= '9' && number < NUMBER_LIMIT) number = number * 10 + *text++ - '0';
  if (end) *end = text;
  return number;
}

static char *append(char *at, const char *text) {
  while (*text) *at++ = *text++;
  *at = 0;
  return at;
}

static char *append_number(char *at, u64 number) {
  char digits[24];
  int count = 0;
  do digits[count++] = '0' + number % 10; while (number /= 10);
  while (count > 0) *at++ = digits[--count];
  *at = 0;
  return at;
}

static long read_memory(u64 from, void *to, long bytes) {
  struct vector here, there;
  here.address = (u64)to;
  here.bytes = there.bytes = bytes;
  there.address = from;
  long done = CALL(process_vm_readv, request.tid, &here, 1, &there, 1, 0);
  if (done == bytes) return 0;
  return done == -EPERM ? -EPERM : -EFAULT;
}

/* To write what only this caller may get: whoever has its number later is not reached by it. Look whether it still waits before that. */
static long open_memory(void) {
  char path[64];
  append(append_number(append(path, "/proc/"), request.tid), "/mem");
  return keep(CALL(openat, AT_FDCWD, path, O_RDWR | O_CLOEXEC, 0, 0, 0));
}

static long bytes_in_page(u64 from) { return PAGE_BYTES - (from & (PAGE_BYTES - 1)); }

/* The beginning of a text that this request was read with. */
static struct {
  u64 id, from;
  long bytes;
  char text[PAGE_BYTES];
} ahead;

/* As read_memory(), and what is at `text` (0 for nothing) with it: a call of its own for each would cost a microsecond more. */
static long read_with_text(u64 from, void *to, long bytes, u64 text) {
  struct vector here[2], there[2];
  if (text == 0) return read_memory(from, to, bytes);
  here[0].address = (u64)to;
  here[1].address = (u64)ahead.text;
  there[0].address = from;
  there[1].address = text;
  here[0].bytes = there[0].bytes = bytes;
  here[1].bytes = there[1].bytes = bytes_in_page(text);
  long done = CALL(process_vm_readv, request.tid, here, 2, there, 2, 0);
  if (done < bytes) return done == -EPERM ? -EPERM : -EFAULT;
  ahead.id = request.id;
  ahead.from = text;
  ahead.bytes = done - bytes;
  return 0;
}

static int was_read_ahead(u64 from, long bytes) { return ahead.from == from && ahead.id == request.id && ahead.bytes >= bytes; }

/* A NUL-terminated text of at most `bytes`, the NUL included. Never reads past a page that may be the last one. */
static long read_text(u64 from, char *to, long bytes) {
  long done = 0;
  while (done < bytes) {
    long piece = bytes_in_page(from + done), failure = 0;
    if (piece > bytes - done) piece = bytes - done;
    if (was_read_ahead(from + done, piece)) copy(to + done, ahead.text, piece);
    else failure = read_memory(from + done, to + done, piece);
    if (failure < 0) return failure;
    for (long end = done + piece; done < end; done++) if (to[done] == 0) return done;
  }
  return -ENAMETOOLONG;
}

/* With the groups of its user, of which there may be hundreds. */
enum { STATUS_BYTES = 65536 };

/* What the status of a thread says, a number; -EPERM where it does not. */
static long status_number(long tid, const char *label) {
  static char text[STATUS_BYTES];
  char path[64];
  append(append_number(append(path, "/proc/"), tid), "/status");
  long file = CALL(openat, AT_FDCWD, path, O_RDONLY | O_CLOEXEC, 0, 0, 0);
  if (file < 0) return file;
  long bytes = CALL(read, file, text, sizeof text - 1, 0, 0, 0);
  close_descriptor(file);
  text[bytes < 0 ? 0 : bytes] = 0;
  for (char *at = text; *at; at++) if (at[0] == '\n' && starts_with(at + 1, label)) return parse_number(at + 1 + length_of(label), 0);
  return -EPERM;
}

/* The process that `tid` is a thread of, where a kernel before 6.9 has no descriptors of threads. */
static long process_of(long tid) { return status_number(tid, "Tgid:\t"); }

/* What the stat of a thread says behind its name, which may have any character in it: a blank, its state, and numbers. 0 where there is none. */
static const char *stat_of(long tid) {
  static char text[512];
  char path[64];
  clear(text, sizeof text);
  append(append_number(append(path, "/proc/"), tid), "/stat");
  long file = CALL(openat, AT_FDCWD, path, O_RDONLY | O_CLOEXEC, 0, 0, 0);
  long bytes = file < 0 ? 0 : CALL(read, file, text, sizeof text - 1, 0, 0, 0);
  close_descriptor(file);
  while (bytes > 0 && text[bytes - 1] != ')') bytes--;
  return bytes > 0 ? text + bytes : 0;
}

/*
 * A nono in the tree adds a filter of its own for its command (and a Landlock domain, which nobody can ask about): who is in more filters than one that
 * asked whether there is a mediator (is_question()) may be its command, held by its plan too. 0 where none has asked.
 */
static long inner_filters;

static long filters_of_caller(void) { return status_number(request.tid, "Seccomp_filters:\t"); }

static void note_inner(void) {
  long filters = filters_of_caller();
  /* The fewest that there can be, where nothing tells: then everybody may be inside. */
  if (filters < 1) filters = 1;
  if ((inner_filters == 0 || filters < inner_filters) && is_waiting(request.id)) inner_filters = filters;
}

static int may_be_inner(void) {
  if (inner_filters == 0) return 0;
  long filters = filters_of_caller();
  return filters < 0 || filters > inner_filters;
}

/* The last caller, by its number and a descriptor of it: when the number is somebody else's now, that one is dead and says so. */
static u32 last_tid;
static long last_caller = -1;

static long open_caller(void) {
  close_descriptor(last_caller);
  last_tid = request.tid;
  last_caller = CALL(pidfd_open, request.tid, 0, 0, 0, 0, 0);
  if (last_caller < 0) last_caller = CALL(pidfd_open, request.tid, PIDFD_THREAD, 0, 0, 0, 0);
  if (last_caller >= 0) return last_caller;
  /* A process can outlive the thread whose number it was asked for by: this one is good once. */
  last_tid = 0;
  return last_caller = CALL(pidfd_open, process_of(request.tid), 0, 0, 0, 0, 0);
}

/* A descriptor of the caller, as a copy that means the same open file. */
static long take(long number) {
  long copy = -ESRCH;
  if (last_tid == request.tid) copy = CALL(pidfd_getfd, last_caller, (int)number, 0, 0, 0, 0);
  if (copy == -ESRCH) copy = open_caller() < 0 ? -EPERM : CALL(pidfd_getfd, last_caller, (int)number, 0, 0, 0, 0);
  return keep(copy);
}
