/*
 * What paths mean, many of them in one call: a plan asks about hundreds while the user waits, and a call from JavaScript costs more than what the kernel
 * does for it. It only looks.
 */
enum { ENOMEM = 12 };
/* include/uapi/linux/stat.h, fcntl.h */
enum { STATX_TYPE_AND_MODE = 3, AT_SYMLINK_NOFOLLOW = 0x100, AT_NO_AUTOMOUNT = 0x800, AT_EMPTY_PATH = 0x1000 };
enum { PATH_BYTES = 4096, ENTRIES_BYTES = 32768 };

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

static int resolve(const char *path) {
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
      long mode = mode_at(directory, name, AT_SYMLINK_NOFOLLOW);
      if (mode >= 0) is_done = answer(mode, name, length_of(name));
    }
  }
  LOOK(close, directory, 0, 0, 0, 0);
  return is_done;
}

enum { RESOLVE = 3, LIST = 4 };

/* @returns what the answers take, or an errno negated: ENOMEM where there is no room for them, and of a directory why it cannot be listed. */
static long look_up(struct look_up *asked, long what) {
  int is_done = 1;
  look = asked;
  look->used = look->refused = 0;
  const char *path = asked->paths;
  for (long at = 0; at < asked->count && is_done; at++) {
    is_done = what == RESOLVE ? resolve(path) : list(path);
    path += length_of(path) + 1;
  }
  return is_done ? look->used : look->refused < 0 ? look->refused : -ENOMEM;
}
