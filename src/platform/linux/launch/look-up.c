/*
 * What paths mean and what small files hold, many of them in one call: a plan asks about hundreds while the user waits, and a call from JavaScript costs
 * more than what the kernel does for it. It only looks.
 */
enum { ENOMEM = 12 };
/* include/uapi/linux/stat.h, fcntl.h, openat2.h */
enum { DT_LNK = 10, S_IFMT = 0xf000, S_IFLNK = 0xa000, S_IFREG = 0x8000, O_NOCTTY = 0x100, O_NONBLOCK = 0x800, BENEATH = 15, STATX_BASIC_STATS = 0x7ff };
enum { STATX_TYPE_AND_MODE = 3, AT_SYMLINK_NOFOLLOW = 0x100, AT_NO_AUTOMOUNT = 0x800, AT_EMPTY_PATH = 0x1000 };
enum { PATH_BYTES = 4096, ENTRIES_BYTES = 32768, SMALL_FILE_BYTES = 65536 };

struct look_up {
  long (*system)(long number, long a, long b, long c, long d, long e, long f);
  /* What is asked about: paths one after the other, each ended by NUL. */
  long count;
  const char *paths;
  /* The answers, as words that are ended by NUL: st_mode or an errno negated, then the path or the name. */
  char *answers;
  long room;
  long used;
  /* Why the directory cannot be listed, an errno negated; else 0. */
  long refused;
  /* Where names of files are. */
  long directory;
  /* How many files there was room for. */
  long read;
};

/* Before the bytes of each file, which are filled up to a multiple of 8. */
struct small_file {
  /* 0, or why there are no bytes: an errno negated. */
  long result;
  long uid;
  long modified_seconds;
  long length;
};

static struct look_up *look;
static u8 statx_bytes[256];
static u8 entries[ENTRIES_BYTES];
static char target[PATH_BYTES];
static char nothing[1];
/* Completed by a number. */
enum { LINK_START = 14 };
static char descriptor_link[40] = "/proc/self/fd/";

#define LOOK(name, a, b, c, d, e) look->system(CALL_##name, (long)(a), (long)(b), (long)(c), (long)(d), (long)(e), 0)

static long length_of(const char *text) {
  long length = 0;
  while (text[length]) length++;
  return length;
}

/* @returns where the text goes on. */
static char *put_number(char *at, long value) {
  char digits[20];
  int count = 0;
  if (value < 0) *at++ = '-', value = -value;
  do digits[count++] = '0' + value % 10; while ((value /= 10) > 0);
  while (count > 0) *at++ = digits[--count];
  return at;
}

/* @returns 0 when there is no room for it. */
static int answer(long number, const char *text, long length) {
  if (look->used + 24 + length > look->room) return 0;
  char *at = put_number(look->answers + look->used, number);
  *at++ = 0;
  for (long index = 0; index < length; index++) *at++ = text[index];
  *at++ = 0;
  look->used = at - look->answers;
  return 1;
}

/* @returns st_mode or an errno negated. */
static long mode_at(long directory, const char *name, long flags) {
  long result = LOOK(statx, directory, name, flags | AT_NO_AUTOMOUNT, STATX_TYPE_AND_MODE, statx_bytes);
  return result < 0 ? result : *(u16 *)(statx_bytes + 28);
}

/* Absolute, and without `.`, `..`, an empty component or a slash at its end: what the kernel would call it too, when no link is on the way. */
static int is_plain(const char *path) {
  if (path[0] != '/' || path[1] == 0) return 0;
  for (; *path; path++) {
    if (*path != '/') continue;
    const char *next = path + 1;
    if (*next == '.') next++;
    if (*next == '.') next++;
    if (*next == 0 || *next == '/') return 0;
  }
  return 1;
}

/* To ask for the name of what was opened takes longer than all the rest: where no link is on the way it is the path itself. @returns 0 where one is. */
static int resolve_plain(const char *path, int *is_done) {
  struct { u64 flags, mode, resolve; } how;
  how.flags = O_PATH | O_CLOEXEC;
  how.mode = 0;
  how.resolve = RESOLVE_NO_SYMLINKS;
  long opened = LOOK(openat2, AT_FDCWD, path, &how, sizeof how, 0);
  if (opened == -ENOENT || opened == -ENOTDIR) return *is_done = answer(opened, nothing, 0), 1;
  if (opened < 0) return 0;
  long mode = mode_at(opened, nothing, AT_EMPTY_PATH);
  LOOK(close, opened, 0, 0, 0, 0);
  if (mode < 0) return 0;
  *is_done = answer(mode, path, length_of(path));
  return 1;
}

static int resolve(const char *path) {
  int is_done;
  if (is_plain(path) && resolve_plain(path, &is_done)) return is_done;
  long opened = LOOK(openat, AT_FDCWD, path, O_PATH | O_CLOEXEC, 0, 0);
  if (opened < 0) return answer(opened, nothing, 0);
  long mode = mode_at(opened, nothing, AT_EMPTY_PATH), length = -ENOENT;
  if (mode >= 0) {
    *put_number(descriptor_link + LINK_START, opened) = 0;
    length = LOOK(readlinkat, AT_FDCWD, descriptor_link, target, sizeof target, 0);
  }
  LOOK(close, opened, 0, 0, 0, 0);
  /* Gone meanwhile: there is nothing. */
  return length < 0 ? answer(-ENOENT, nothing, 0) : answer(mode, target, length);
}

static int list(const char *path) {
  long directory = LOOK(openat, AT_FDCWD, path, O_CLOEXEC | O_DIRECTORY, 0, 0);
  if (directory < 0) return look->refused = directory, 0;
  int is_done = 1;
  for (;;) {
    long filled = LOOK(getdents64, directory, entries, sizeof entries, 0, 0);
    if (filled <= 0) break;
    /* struct linux_dirent64: d_reclen at 16, d_name at 19. */
    for (long at = 0; at < filled && is_done; at += *(u16 *)(entries + at + 16)) {
      const char *name = (const char *)(entries + at + 19);
      if (name[0] == '.' && (name[1] == 0 || (name[1] == '.' && name[2] == 0))) continue;
      /* d_type at 18: of a link there is nothing else to know. */
      long mode = entries[at + 18] == DT_LNK ? S_IFLNK | 0777 : mode_at(directory, name, AT_SYMLINK_NOFOLLOW);
      if (mode >= 0) is_done = answer(mode, name, length_of(name));
    }
  }
  LOOK(close, directory, 0, 0, 0, 0);
  return is_done;
}

/* Nothing on the way is a link or another file system, and nothing but a regular file is read. @returns an errno negated for what is not read. */
static long open_small(const char *name, struct small_file *file) {
  struct { u64 flags, mode, resolve; } how;
  how.flags = O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY;
  how.mode = 0;
  how.resolve = BENEATH;
  long opened = LOOK(openat2, look->directory, name, &how, sizeof how, 0);
  if (opened < 0) return opened;
  long result = LOOK(statx, opened, nothing, AT_EMPTY_PATH, STATX_BASIC_STATS, statx_bytes);
  if (result >= 0 && ((*(u16 *)(statx_bytes + 28) & S_IFMT) != S_IFREG || *(u64 *)(statx_bytes + 40) > SMALL_FILE_BYTES)) result = -EINVAL;
  if (result < 0) {
    LOOK(close, opened, 0, 0, 0, 0);
    return result;
  }
  file->uid = *(u32 *)(statx_bytes + 20);
  file->length = *(long *)(statx_bytes + 40);
  file->modified_seconds = *(long *)(statx_bytes + 112);
  return opened;
}

/* @returns 0 when there is no room for it. */
static int read_small(const char *name) {
  struct small_file *file = (struct small_file *)(look->answers + look->used);
  char *bytes = (char *)(file + 1);
  if (look->used + (long)sizeof *file > look->room) return 0;
  long opened = open_small(name, file), length = 0;
  file->result = opened < 0 ? opened : 0;
  if (opened < 0) file->length = 0;
  if (look->used + (long)sizeof *file + file->length > look->room) {
    LOOK(close, opened, 0, 0, 0, 0);
    return 0;
  }
  /* What is written meanwhile is left out, and it may have become shorter. */
  while (length < file->length) {
    long result = LOOK(read, opened, bytes + length, file->length - length, 0, 0);
    if (result < 0) file->result = result;
    if (result <= 0) break;
    length += result;
  }
  if (opened >= 0) LOOK(close, opened, 0, 0, 0, 0);
  file->length = length;
  look->used += sizeof *file + (length + 7) / 8 * 8;
  return 1;
}

enum { RESOLVE = 3, LIST = 4, READ = 5 };

/*
 * @returns what the answers take, or an errno negated: ENOMEM where there is no room for them, and of a directory why it cannot be listed. Files are
 * read as far as there is room.
 */
static long look_up(struct look_up *asked, long what) {
  int is_done = 1;
  look = asked;
  look->used = look->refused = look->read = 0;
  const char *path = asked->paths;
  if (what == READ) {
    for (; look->read < asked->count && read_small(path); look->read++) path += length_of(path) + 1;
    return look->used;
  }
  for (long at = 0; at < asked->count && is_done; at++) {
    is_done = what == RESOLVE ? resolve(path) : list(path);
    path += length_of(path) + 1;
  }
  return is_done ? look->used : look->refused < 0 ? look->refused : -ENOMEM;
}
