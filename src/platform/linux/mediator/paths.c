/* What the paths of a caller mean, and whether a grant leads there. */

static long open_path(long directory, const char *path, u64 flags, u64 resolve) {
  how.flags = flags | O_PATH | O_CLOEXEC;
  how.mode = 0;
  how.resolve = resolve;
  long file = CALL(openat2, directory, path, &how, sizeof how, 0, 0);
  return keep(file);
}

/* Ways to name a descriptor of one's own: the mediator's /proc/self is not the caller's. */
static const char *behind_descriptors(const char *path) {
  static const char *const ways[] = {"/proc/self/fd/", "/proc/thread-self/fd/", "/dev/fd/"};
  for (int at = 0; at < 3; at++) if (starts_with(path, ways[at])) return path + length_of(ways[at]);
  return 0;
}

static long descriptor_in(const char *path) {
  const char *end, *digits = behind_descriptors(path);
  long number = digits ? parse_number(digits, &end) : -1;
  return number >= 0 && number <= DESCRIPTOR_MAXIMUM && *end == 0 ? number : -1;
}

static long base_of(long directory, const char *path) {
  char link[64];
  if (*path == '/') return AT_FDCWD;
  if ((int)directory != AT_FDCWD) return take(directory);
  append(append_number(append(link, "/proc/"), request.tid), "/cwd");
  return keep(CALL(openat, AT_FDCWD, link, O_PATH | O_CLOEXEC, 0, 0, 0));
}

/* What the caller's path means, without opening it. No mount or root of the caller's own can differ: the filter refuses those calls. */
static long resolve(long directory, const char *path, int follows) {
  /* As of any magic link, whether or not the mediator has a descriptor of that number. */
  if (behind_descriptors(path)) return -ELOOP;
  long base = base_of(directory, path);
  if (base < 0 && base != AT_FDCWD) return base;
  return open_path(base, path, follows ? 0 : O_NOFOLLOW, RESOLVE_NO_MAGICLINKS);
}

static long look_at(long file, struct facts *facts) {
  return CALL(statx, file, "", AT_EMPTY_PATH, 0x7ff, facts, 0);
}

/* Empty when that is the working directory, which spares the kernel four names on each way through a descriptor. */
static char own_descriptors[32] = "/proc/thread-self/fd/";

static void stay_at_own_descriptors(void) {
  if (CALL(chdir, own_descriptors, 0, 0, 0, 0, 0) == 0) own_descriptors[0] = 0;
}

static void name_descriptor(char *to, long descriptor) { append_number(append(to, own_descriptors), descriptor); }

/* Where it is now. 0 for what has no path. */
static long path_of(long file, char *path) {
  char link[64];
  name_descriptor(link, file);
  long length = CALL(readlinkat, AT_FDCWD, link, path, PATH_BYTES - 1, 0, 0);
  if (length <= 0 || length >= PATH_BYTES - 1 || path[0] != '/') return 0;
  path[length] = 0;
  return length;
}

/* A pipe or a socket that was never in a file system; one whose path is too long to be told does have a name. */
static int is_nameless(long file) {
  char link[64], first[2];
  name_descriptor(link, file);
  return CALL(readlinkat, AT_FDCWD, link, first, 1, 0, 0) == 1 && first[0] != '/';
}

static int are_same(long a, long b) {
  static struct facts one, other;
  if (look_at(a, &one) < 0 || look_at(b, &other) < 0) return 0;
  return one.ino == other.ino && one.dev_major == other.dev_major && one.dev_minor == other.dev_minor;
}

enum { ATTEMPTS = 8 };

/* Opened again from the grant itself, where nothing that is renamed or linked meanwhile leads out. */
static long reopen_beneath(struct grant *grant, const char *path, long length, long file) {
  const char *rest = path + grant->length;
  if (length < grant->length || !are_equal(path, grant_path(grant), grant->length)) return -EPERM;
  if (*rest == '/') rest++;
  else if (*rest != 0 && grant->length > 1) return -EPERM;
  if (grant->kind == GRANT_SOCKET) return file;
  if (grant->descriptor < 0) return -EPERM;
  if (*rest == 0) return are_same(grant->descriptor, file) ? file : -EPERM;
  if (grant->kind == GRANT_FILE) return -EPERM;
  long again = open_path(grant->descriptor, rest, O_NOFOLLOW, RESOLVE_BENEATH | RESOLVE_NO_SYMLINKS | RESOLVE_NO_MAGICLINKS);
  if (again < 0) return -EPERM;
  if (are_same(again, file)) return again;
  close_descriptor(opened[--opened_count]);
  return -EPERM;
}

/*
 * The same object as `file`, reached from a writable grant; for a socket also from one that was named. A file that
 * others rename meanwhile is looked for again.
 */
static long granted(long file, int is_socket) {
  static char path[PATH_BYTES];
  for (int attempt = 0; attempt < ATTEMPTS; attempt++) {
    long length = path_of(file, path);
    if (length == 0) return -EPERM;
    for (int at = 0; at < configuration->grants; at++) {
      struct grant *grant = &configuration->grant[at];
      if (grant->kind == GRANT_SOCKET && !is_socket) continue;
      long found = reopen_beneath(grant, path, length, file);
      if (found >= 0) return found;
    }
  }
  return -EPERM;
}

/*
 * The link in /proc of a caller that asks again and again, itself and not what it leads to: the kernel has nothing to look up then. It is the process's own,
 * read by the same rules each time, and leads nowhere when that has ended, whoever has its number then.
 */
static u32 known_tid, previous_tid;
static long known_link = -1;

/* Before the first request, so that those which a request opens follow on each other (close_opened()). */
static void reserve_link(void) { known_link = CALL(openat, AT_FDCWD, ".", O_PATH | O_CLOEXEC, 0, 0, 0); }

static long read_working_directory(char *to) {
  char link[64];
  long length = -ESRCH;
  if (known_tid == request.tid) length = CALL(readlinkat, known_link, "", to, PATH_BYTES, 0, 0);
  if (length > 0) return length;
  append(append_number(append(link, "/proc/"), request.tid), "/cwd");
  if (previous_tid == request.tid) {
    long opened_link = CALL(openat, AT_FDCWD, link, O_PATH | O_NOFOLLOW | O_CLOEXEC, 0, 0, 0);
    known_tid = opened_link >= 0 && CALL(dup3, opened_link, known_link, O_CLOEXEC, 0, 0, 0) >= 0 ? request.tid : 0;
    close_descriptor(opened_link);
  }
  previous_tid = request.tid;
  return CALL(readlinkat, AT_FDCWD, link, to, PATH_BYTES, 0, 0);
}

/* What the kernel adds to the name of what is gone may be another directory's name. */
static int was_removed(const char *path, long length) {
  static const char mark[] = " (deleted)";
  long bytes = sizeof mark - 1;
  return length > bytes && are_equal(path + length - bytes, mark, bytes);
}

static int goes_up(const char *path) {
  for (const char *at = path; *at; at++) {
    int begins = at == path || at[-1] == '/';
    if (begins && at[0] == '.' && at[1] == '.' && (at[2] == '/' || at[2] == 0)) return 1;
  }
  return 0;
}

static u64 now(void);
enum { STAYS_MS = 10 };

/*
 * Somebody outside may have moved the directory away, and put another one in its place that nobody granted. To look each time costs a microsecond or two: one that
 * was there is taken to stay for a moment.
 */
static int is_still_there(struct grant *grant) {
  static char path[PATH_BYTES];
  long time = now();
  if (time < grant->there_until) return 1;
  if (path_of(grant->descriptor, path) != grant->length || !are_equal(path, grant_path(grant), grant->length)) return 0;
  grant->there_until = time + STAYS_MS;
  return 1;
}

/*
 * The short way for what most calls name: a path whose words alone say that it is beneath a grant, and which no link is
 * on. It is opened once, from the grant. -ENOENT for all else, which the long way then judges.
 */
static long opened_beneath(long directory, const char *path, int follows) {
  static char whole[2 * PATH_BYTES];
  long length = 0;
  if (goes_up(path)) return -ENOENT;
  if (*path != '/') {
    if ((int)directory != AT_FDCWD) return -ENOENT;
    length = read_working_directory(whole);
    if (length <= 0 || length >= PATH_BYTES || whole[0] != '/' || was_removed(whole, length)) return -ENOENT;
    if (whole[length - 1] != '/') whole[length++] = '/';
  }
  append(whole + length, path);
  for (int at = 0; at < configuration->grants; at++) {
    struct grant *grant = &configuration->grant[at];
    const char *rest = whole + grant->length;
    if (grant->kind != GRANT_TREE || grant->descriptor < 0 || !starts_with(whole, grant_path(grant))) continue;
    if (grant->length > 1 && *rest++ != '/') continue;
    if (*rest == 0) continue;
    if (!is_still_there(grant)) return -ENOENT;
    return open_path(grant->descriptor, rest, follows ? 0 : O_NOFOLLOW, RESOLVE_BENEATH | RESOLVE_NO_SYMLINKS | RESOLVE_NO_MAGICLINKS);
  }
  return -ENOENT;
}
