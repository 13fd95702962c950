/*
 * Mode, owner, times and extended attributes, which Landlock has no right for. A descriptor that is open for writing
 * was checked when it was opened. All else is looked for by its path and opened again from a writable grant; what is
 * then changed is that second descriptor's file, whatever has become of the path.
 */
enum { CHANGE_MODE, CHANGE_OWNER, CHANGE_TIMES, SET_ATTRIBUTE, REMOVE_ATTRIBUTE };
/* include/uapi/linux/stat.h, UTIME_OMIT */
enum { OMIT_TIME = 0x3ffffffe };
enum { ATTRIBUTE_NAME_BYTES = 256, ATTRIBUTE_VALUE_BYTES = 65536 };

/* What to do, copied from the caller. */
static struct {
  int kind;
  u32 mode, user, group;
  long times[4];
  int has_times;
  char name[ATTRIBUTE_NAME_BYTES];
  char value[ATTRIBUTE_VALUE_BYTES];
  long value_bytes;
  long flags;
} change;

/* On an open file. */
static long change_open(long file) {
  switch (change.kind) {
    case CHANGE_MODE: return CALL(fchmod, file, change.mode, 0, 0, 0, 0);
    case CHANGE_OWNER: return CALL(fchown, file, change.user, change.group, 0, 0, 0);
    case CHANGE_TIMES: return CALL(utimensat, file, 0, change.has_times ? change.times : 0, 0, 0, 0);
    case SET_ATTRIBUTE: return CALL(fsetxattr, file, change.name, change.value, change.value_bytes, change.flags, 0);
    default: return CALL(fremovexattr, file, change.name, 0, 0, 0, 0);
  }
}

/* On one that is open as a path only. */
static long change_path(long file) {
  char link[64];
  long result;
  name_descriptor(link, file);
  switch (change.kind) {
    case CHANGE_MODE:
      result = CALL(fchmodat2, file, "", change.mode, AT_EMPTY_PATH, 0, 0);
      return result == -ENOSYS ? CALL(fchmodat, AT_FDCWD, link, change.mode, 0, 0, 0) : result;
    case CHANGE_OWNER: return CALL(fchownat, file, "", change.user, change.group, AT_EMPTY_PATH, 0);
    case CHANGE_TIMES:
      result = CALL(utimensat, file, "", change.has_times ? change.times : 0, AT_EMPTY_PATH, 0, 0);
      return result == -EINVAL ? CALL(utimensat, AT_FDCWD, link, change.has_times ? change.times : 0, 0, 0, 0) : result;
    case SET_ATTRIBUTE: return CALL(setxattr, link, change.name, change.value, change.value_bytes, change.flags, 0);
    default: return CALL(removexattr, link, change.name, 0, 0, 0, 0);
  }
}

static long change_beneath(long file) {
  if (!may_act()) return -EPERM;
  return change_path(file);
}

static long change_granted(long file) {
  long second = granted(file, 0);
  if (second >= 0) return change_beneath(second);
  note_change(file);
  return second;
}

/* `as_path`: the call takes descriptors that are open as a path only. */
static long change_descriptor(long number, int as_path) {
  static struct facts facts;
  long file = take(number);
  if (file < 0) return file;
  long flags = CALL(fcntl, file, F_GETFL, 0, 0, 0, 0);
  if (flags < 0) return flags;
  if (flags & O_PATH) return as_path ? change_granted(file) : -EBADF;
  long failure = look_at(file, &facts);
  if (failure < 0) return failure;
  int type = facts.mode & S_IFMT;
  int has_no_name = (type == S_IFIFO || type == S_IFSOCK) && is_nameless(file);
  /* Not the third access mode: what is opened with that neither reads nor writes, and Landlock asks nothing for it. */
  int mode = flags & O_ACCMODE;
  int is_writable = type == S_IFREG && (mode == O_WRONLY || mode == O_RDWR);
  if (!has_no_name && !is_writable) return change_granted(file);
  if (!may_act()) return -EPERM;
  return change_open(file);
}

static long change_at(long directory, u64 address, long flags) {
  static char path[PATH_BYTES];
  if (flags & ~(long)(AT_SYMLINK_NOFOLLOW | AT_EMPTY_PATH)) return -EINVAL;
  long length = read_text(address, path, PATH_BYTES);
  if (length < 0) return length;
  if (length == 0) {
    if (!(flags & AT_EMPTY_PATH)) return -ENOENT;
    return (int)directory == AT_FDCWD ? change_granted(base_of(directory, ".")) : change_descriptor(directory, 1);
  }
  int follows = !(flags & AT_SYMLINK_NOFOLLOW);
  long number = follows ? descriptor_in(path) : -1;
  if (number >= 0) return change_descriptor(number, 1);
  long file = opened_beneath(directory, path, follows);
  if (file >= 0) return change_beneath(file);
  file = resolve(directory, path, follows);
  return file < 0 ? file : change_granted(file);
}

static long copy_attribute(u64 name, u64 value, u64 bytes, long flags) {
  long length = read_text(name, change.name, ATTRIBUTE_NAME_BYTES);
  if (length <= 0) return length == -ENAMETOOLONG || length == 0 ? -ERANGE : length;
  change.value_bytes = bytes;
  change.flags = flags;
  if (bytes > ATTRIBUTE_VALUE_BYTES) return -E2BIG;
  return bytes == 0 ? 0 : read_memory(value, change.value, bytes);
}

/* Of utime(2) in seconds, of utimes(2) and futimesat(2) in microseconds, of utimensat(2) in nanoseconds; with the path that is looked at next. */
static long copy_times(u64 address, int unit, u64 path) {
  change.has_times = address != 0;
  if (address == 0) return 0;
  long given[4];
  long failure = read_with_text(address, given, unit == 0 ? 16 : 32, path);
  if (failure < 0) return failure;
  if (unit == 0) {
    change.times[0] = given[0];
    change.times[2] = given[1];
    change.times[1] = change.times[3] = 0;
    return 0;
  }
  if (unit != 1 && ((u64)given[1] >= 1000000 || (u64)given[3] >= 1000000)) return -EINVAL;
  for (int at = 0; at < 4; at++) change.times[at] = given[at] * (at % 2 && unit != 1 ? 1000 : 1);
  return 0;
}

/* Both left as they are: the kernel looks at nothing else then, and neither does who calls. */
static int omits_times(void) { return change.has_times && change.times[1] == OMIT_TIME && change.times[3] == OMIT_TIME; }

static long change_times_at(long directory, u64 path, long flags) {
  if (omits_times()) return 0;
  if (path != 0) return change_at(directory, path, flags);
  if ((int)directory == AT_FDCWD) return -EFAULT;
  return flags == 0 ? change_descriptor(directory, 0) : -EINVAL;
}

static long mode_of(u64 mode) {
  change.kind = CHANGE_MODE;
  change.mode = mode;
  return 0;
}

static long owner_of(u64 user, u64 group) {
  change.kind = CHANGE_OWNER;
  change.user = user;
  change.group = group;
  return 0;
}

/* struct xattr_args of include/uapi/linux/xattr.h */
static long copy_attribute_structure(u64 name, u64 address, u64 bytes) {
  struct { u64 value; u32 size, flags; } given;
  if (bytes < sizeof given) return -EINVAL;
  if (bytes > sizeof given) return -E2BIG;
  long failure = read_memory(address, &given, sizeof given);
  return failure < 0 ? failure : copy_attribute(name, given.value, given.size, given.flags);
}

static long change_metadata(void) {
  u64 *a = request.arguments;
  long failure = 0;
  change.kind = CHANGE_TIMES;
  switch (request.number) {
#ifdef CALL_chmod
    case CALL_chmod: mode_of(a[1]); return change_at(AT_FDCWD, a[0], 0);
    case CALL_chown: owner_of(a[1], a[2]); return change_at(AT_FDCWD, a[0], 0);
    case CALL_lchown: owner_of(a[1], a[2]); return change_at(AT_FDCWD, a[0], AT_SYMLINK_NOFOLLOW);
    case CALL_utime: failure = copy_times(a[1], 0, a[0]); return failure < 0 ? failure : change_at(AT_FDCWD, a[0], 0);
    case CALL_utimes: failure = copy_times(a[1], 1000, a[0]); return failure < 0 ? failure : change_at(AT_FDCWD, a[0], 0);
    case CALL_futimesat:
      failure = copy_times(a[2], 1000, a[1]);
      return failure < 0 ? failure : change_times_at(a[0], a[1], 0);
#endif
    case CALL_fchmod: mode_of(a[1]); return change_descriptor(a[0], 0);
    case CALL_fchmodat: mode_of(a[2]); return change_at(a[0], a[1], 0);
    case CALL_fchmodat2: mode_of(a[2]); return change_at(a[0], a[1], a[3]);
    case CALL_fchown: owner_of(a[1], a[2]); return change_descriptor(a[0], 0);
    case CALL_fchownat: owner_of(a[2], a[3]); return change_at(a[0], a[1], a[4]);
    case CALL_utimensat:
      failure = copy_times(a[2], 1, a[1]);
      return failure < 0 ? failure : change_times_at(a[0], a[1], a[3]);
  }
  change.kind = SET_ATTRIBUTE;
  switch (request.number) {
    case CALL_setxattr:
      failure = copy_attribute(a[1], a[2], a[3], a[4]);
      return failure < 0 ? failure : change_at(AT_FDCWD, a[0], 0);
    case CALL_lsetxattr:
      failure = copy_attribute(a[1], a[2], a[3], a[4]);
      return failure < 0 ? failure : change_at(AT_FDCWD, a[0], AT_SYMLINK_NOFOLLOW);
    case CALL_fsetxattr:
      failure = copy_attribute(a[1], a[2], a[3], a[4]);
      return failure < 0 ? failure : change_descriptor(a[0], 0);
    case CALL_setxattrat:
      failure = copy_attribute_structure(a[3], a[4], a[5]);
      return failure < 0 ? failure : change_at(a[0], a[1], a[2]);
  }
  change.kind = REMOVE_ATTRIBUTE;
  failure = copy_attribute(a[request.number == CALL_removexattrat ? 3 : 1], 0, 0, 0);
  if (failure < 0) return failure;
  switch (request.number) {
    case CALL_removexattr: return change_at(AT_FDCWD, a[0], 0);
    case CALL_lremovexattr: return change_at(AT_FDCWD, a[0], AT_SYMLINK_NOFOLLOW);
    case CALL_fremovexattr: return change_descriptor(a[0], 0);
    case CALL_removexattrat: return change_at(a[0], a[1], a[2]);
  }
  return -ENOSYS;
}
