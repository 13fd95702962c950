/* open(2) and its like: what a caller opens, and whether there is a question about it. */

/* Copied from the caller. */
static struct { long directory; u64 flags, mode, resolve; char path[PATH_BYTES]; } opening;

/* @returns 0 for what the kernel may say itself. */
static int copy_opening(void) {
  u64 *a = request.arguments;
  u64 address;
  opening.directory = AT_FDCWD;
  opening.resolve = 0;
  switch (request.number) {
#ifdef CALL_open
    case CALL_open: address = a[0]; opening.flags = (u32)a[1]; opening.mode = a[2]; break;
    case CALL_creat: address = a[0]; opening.flags = O_CREAT | O_WRONLY | O_TRUNC; opening.mode = a[1]; break;
#endif
    case CALL_openat: opening.directory = a[0]; address = a[1]; opening.flags = (u32)a[2]; opening.mode = a[3]; break;
    default:
      opening.directory = a[0];
      address = a[1];
      if (a[3] != sizeof how || read_memory(a[2], &opening.flags, sizeof how) < 0) return 0;
      if (opening.flags & ~(u64)OPEN_FLAGS || opening.mode & ~(u64)MODE_BITS) return 0;
      if (opening.mode && !(opening.flags & (O_CREAT | TEMPORARY_BIT))) return 0;
      if (opening.resolve & ~(u64)(RESOLVE_NO_XDEV | RESOLVE_NO_MAGICLINKS | RESOLVE_NO_SYMLINKS | RESOLVE_BENEATH)) return 0;
  }
  opening.flags &= OPEN_FLAGS;
  opening.mode &= MODE_BITS;
  if (opening.flags & O_PATH || (opening.flags & O_ACCMODE) == O_ACCMODE) return 0;
  return read_text(address, opening.path, PATH_BYTES) > 0;
}

static u32 access_of(u64 flags) {
  u32 access = (flags & O_ACCMODE) == O_WRONLY ? ACCESS_WRITE : (flags & O_ACCMODE) == O_RDWR ? ACCESS_READ | ACCESS_WRITE : ACCESS_READ;
  return flags & (O_TRUNC | TEMPORARY_BIT) ? access | ACCESS_WRITE : access;
}

/* Where the kernel shows itself: nothing there is opened for anybody. */
static int is_interface(void) {
  return is_within("/proc") || is_within("/sys") || (is_within("/dev") && !is_within("/dev/shm"));
}

/* The permissions of the file system; `access` as access(2) has it. */
static int is_permitted(long file, long access) { return CALL(faccessat2, file, "", access, AT_EMPTY_PATH | AT_EACCESS, 0, 0) == 0; }

static long ask_unless_given(struct asked *wish, long file, const char *name) {
  u32 wanted = wish->access & (ACCESS_READ | ACCESS_WRITE);
  u32 given = planned(wanted);
  if ((given & wanted) == wanted || may_be_inner()) return CONTINUED;
  long permission = name || wish->flags & TEMPORARY_BIT ? W_OK | X_OK : (wanted & ACCESS_READ ? R_OK : 0) | (wanted & ACCESS_WRITE ? W_OK : 0);
  if (!is_permitted(file, permission)) return CONTINUED;
  if (is_interface()) return refuse(wish->access, REFUSED_KIND);
  if (given & ACCESS_FORBIDDEN) return refuse(wish->access, REFUSED_SENSITIVE);
  if (!is_ordinary_caller()) return refuse(wish->access, REFUSED_CALLER);
  return ask(wish, file, name);
}

/*
 * A file that is not there yet: its directory is held, and its name. A link of the caller's own that leads nowhere is followed to
 * what it names, step by step, each from the directory that is held; one of somebody else's the kernel may refuse (fs.protected_symlinks).
 */
static long open_new(struct asked *wish, long base) {
  static char name[NAME_BYTES];
  static struct facts facts;
  char *path = opening.path;
  for (int links = 0; links < LINKS_MAXIMUM; links++) {
    long end = length_of(path), slash = end;
    while (slash > 0 && path[slash - 1] != '/') slash--;
    if (slash == end || end - slash >= NAME_BYTES) return CONTINUED;
    append(name, path + slash);
    if (goes_up(name) || (name[0] == '.' && name[1] == 0)) return CONTINUED;
    path[slash] = 0;
    long directory = open_path(base, slash == 0 ? "." : path, O_DIRECTORY, opening.resolve | RESOLVE_NO_MAGICLINKS);
    if (directory < 0 || !name_file(directory, name)) return CONTINUED;
    long found = open_path(directory, name, O_NOFOLLOW, RESOLVE_BENEATH);
    if (found == -ENOENT) {
      wish->access |= ACCESS_WRITE | ACCESS_CREATE;
      return ask_unless_given(wish, directory, name);
    }
    if (found < 0 || opening.resolve & RESOLVE_BENEATH || look_at(found, &facts) < 0) return refuse(wish->access, REFUSED_KIND);
    if ((facts.mode & S_IFMT) != S_IFLNK || facts.uid != (u32)CALL(getuid, 0, 0, 0, 0, 0, 0)) return refuse(wish->access, REFUSED_KIND);
    long bytes = CALL(readlinkat, found, "", path, PATH_BYTES - 1, 0, 0);
    if (bytes <= 0) return CONTINUED;
    path[bytes] = 0;
    base = path[0] == '/' ? AT_FDCWD : directory;
  }
  return CONTINUED;
}

static long open_file(void) {
  static struct facts facts;
  static struct asked wish;
  if (!copy_opening()) return CONTINUED;
  wish.flags = opening.flags;
  wish.mode = opening.mode;
  wish.access = access_of(opening.flags);
  wish.socket = -1;
  long base = base_of(opening.directory, opening.path);
  if (base < 0 && base != AT_FDCWD) return CONTINUED;
  int follows = !(opening.flags & O_NOFOLLOW) && !(opening.flags & O_CREAT && opening.flags & O_EXCL);
  long file = open_path(base, opening.path, follows ? 0 : O_NOFOLLOW, opening.resolve | RESOLVE_NO_MAGICLINKS);
  if (file == -ENOENT && opening.flags & O_CREAT && !(opening.flags & O_DIRECTORY)) return open_new(&wish, base);
  if (file == -EMFILE || file == -ENFILE) {
    named_bytes = append(named, opening.path) - named;
    return refuse(wish.access, REFUSED_FULL);
  }
  if (file < 0 || !name_file(file, 0)) return CONTINUED;
  if ((planned(wish.access) & wish.access) == wish.access) return CONTINUED;
  if (look_at(file, &facts) < 0) return CONTINUED;
  int type = facts.mode & S_IFMT, writes = (wish.access & ACCESS_WRITE) != 0, is_temporary = (opening.flags & TEMPORARY_BIT) != 0;
  /* What the kernel refuses for reasons of its own. */
  if (opening.flags & O_CREAT && opening.flags & O_EXCL) return CONTINUED;
  if (type == S_IFDIR ? (writes || opening.flags & O_CREAT) && !is_temporary : is_temporary || opening.flags & O_DIRECTORY) return CONTINUED;
  /* The plan does not name the command's own terminal, which a rule gives: no word about those. */
  if (type != S_IFREG && type != S_IFDIR) return type == S_IFLNK || is_within("/dev/pts") ? CONTINUED : refuse(wish.access, REFUSED_KIND);
  if (type == S_IFDIR) wish.access |= ACCESS_DIRECTORY;
  return ask_unless_given(&wish, file, 0);
}

/* A socket outside the grants, which `file` holds. */
static long ask_to_connect(long socket, long file) {
  static struct asked wish;
  if (configuration->asking == 0) {
    note_connect(file);
    return -EACCES;
  }
  if (!name_file(file, 0) || may_be_inner()) return -EACCES;
  wish.flags = wish.mode = 0;
  wish.access = ACCESS_CONNECT;
  wish.socket = socket;
  if (planned(ACCESS_READ | ACCESS_WRITE) & ACCESS_FORBIDDEN) return refuse(wish.access, REFUSED_SENSITIVE);
  if (!is_permitted(file, W_OK)) return -EACCES;
  if (!is_ordinary_caller()) return refuse(wish.access, REFUSED_CALLER);
  return ask(&wish, file, 0);
}
