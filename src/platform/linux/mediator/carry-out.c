/* Carrying out a yes: what is held is opened, or connected to, as the caller would have done it. */

/* The four numbers after `label` in the status of a process are all `own`. */
static int has_ids(const char *status, const char *label, long own) {
  for (; *status; status++) if (status[0] == '\n' && starts_with(status + 1, label)) break;
  if (*status == 0) return 0;
  const char *at = status + 1 + length_of(label);
  for (int count = 0; count < 4; count++) {
    while (*at == '\t' || *at == ' ') at++;
    if (parse_number(at, &at) != own) return 0;
  }
  return 1;
}

/* A caller that is the one that the mediator speaks for: the same ids, file system ids included, and the same root. */
static int is_ordinary_caller(void) {
  static char status[1024];
  char path[64];
  if (!has_own_capabilities()) return 0;
  append(append_number(append(path, "/proc/"), request.tid), "/status");
  long file = keep(CALL(openat, AT_FDCWD, path, O_RDONLY | O_CLOEXEC, 0, 0, 0));
  if (file < 0) return 0;
  long bytes = CALL(read, file, status, sizeof status - 1, 0, 0, 0);
  if (bytes <= 0) return 0;
  status[bytes] = 0;
  caller_umask = 0;
  for (char *at = status; *at; at++) {
    if (at[0] != '\n' || !starts_with(at + 1, "Umask:\t")) continue;
    for (at += 8; *at >= '0' && *at <= '7'; at++) caller_umask = caller_umask * 8 + *at - '0';
    break;
  }
  if (!has_ids(status, "Uid:", CALL(getuid, 0, 0, 0, 0, 0, 0)) || !has_ids(status, "Gid:", CALL(getgid, 0, 0, 0, 0, 0, 0))) return 0;
  append(append_number(append(path, "/proc/"), request.tid), "/root");
  long root = keep(CALL(openat, AT_FDCWD, path, O_PATH | O_CLOEXEC, 0, 0, 0));
  long own = keep(CALL(openat, AT_FDCWD, "/", O_PATH | O_CLOEXEC, 0, 0, 0));
  return root >= 0 && own >= 0 && are_same(root, own);
}

static long hand_over(struct asked *entry, long file) {
  struct added_descriptor added;
  added.id = entry->waiting;
  added.flags = ADDFD_SEND;
  added.source = file;
  added.target = 0;
  added.target_flags = entry->flags & O_CLOEXEC;
  long result = CALL(ioctl, listener, NOTIF_ADDFD, &added, 0, 0, 0);
  if (result >= 0) return DEFERRED;
  if (result != -EINVAL) return result;
  /* Before 5.14 the descriptor and the answer are two steps. */
  added.flags = 0;
  return CALL(ioctl, listener, NOTIF_ADDFD, &added, 0, 0, 0);
}

/* Nothing is waited for, whatever it is by now; then it is as the caller wants it. */
static long settle_open(struct asked *entry, long file) {
  if (file < 0) return file;
  if (!(entry->flags & O_NONBLOCK)) {
    long flags = CALL(fcntl, file, F_GETFL, 0, 0, 0, 0);
    if (flags >= 0) CALL(fcntl, file, F_SETFL, flags & ~(long)O_NONBLOCK, 0, 0, 0);
  }
  return hand_over(entry, file);
}

/* What is held, again with the flags of the caller. The kernel shows O_NOFOLLOW of an open file, and the link that names a descriptor is one. */
static long open_held(struct asked *entry, long held) {
  static char path[PATH_BYTES];
  char link[64];
  u32 flags = (entry->flags & ~(u32)(O_CREAT | O_EXCL)) | O_NONBLOCK | O_NOCTTY | O_CLOEXEC;
  if (!(entry->flags & O_NOFOLLOW)) {
    name_descriptor(link, held);
    return keep(CALL(openat, AT_FDCWD, link, flags, entry->mode, 0, 0));
  }
  if (path_of(held, path) == 0) return -EACCES;
  how.flags = flags & ~(u32)O_TRUNC;
  how.mode = 0;
  how.resolve = RESOLVE_NO_SYMLINKS | RESOLVE_NO_MAGICLINKS;
  long file = keep(CALL(openat2, AT_FDCWD, path, &how, sizeof how, 0, 0));
  if (file < 0) return file;
  if (!are_same(file, held)) return -EACCES;
  if (flags & O_TRUNC) {
    name_descriptor(link, file);
    long failure = CALL(truncate, link, 0, 0, 0, 0, 0);
    if (failure < 0) return failure;
  }
  return file;
}

/* Made in the directory that is held. What somebody else made there meanwhile is opened when it is an ordinary file of the same user. */
static long open_made(struct asked *entry) {
  static struct facts facts;
  CALL(umask, entry->umask, 0, 0, 0, 0, 0);
  how.flags = (entry->flags & ~(u32)O_TRUNC) | O_EXCL | O_NONBLOCK | O_NOCTTY | O_CLOEXEC;
  how.mode = entry->mode & MODE_BITS;
  how.resolve = RESOLVE_BENEATH | RESOLVE_NO_SYMLINKS | RESOLVE_NO_MAGICLINKS;
  long file = keep(CALL(openat2, entry->file, entry->name, &how, sizeof how, 0, 0));
  if (file != -EEXIST || entry->flags & O_EXCL) return file;
  long held = open_path(entry->file, entry->name, O_NOFOLLOW, RESOLVE_BENEATH | RESOLVE_NO_SYMLINKS | RESOLVE_NO_MAGICLINKS);
  if (held < 0) return held;
  if (look_at(held, &facts) < 0 || (facts.mode & S_IFMT) != S_IFREG || facts.uid != (u32)CALL(getuid, 0, 0, 0, 0, 0, 0)) return -EACCES;
  return open_held(entry, held);
}

static long connect_held(long socket, long file);
static void send_answer(u64 id, long result);

static long carry_out(struct asked *entry) {
  static struct facts facts;
  request.id = entry->waiting;
  request.tid = entry->tid;
  if (!is_ordinary_caller() || !is_waiting(entry->waiting)) return -EACCES;
  if (entry->access & ACCESS_CONNECT) return connect_held(entry->socket, entry->file);
  if (entry->name[0] == 0 && entry->flags & TEMPORARY_BIT) {
    CALL(umask, entry->umask, 0, 0, 0, 0, 0);
    how.flags = (entry->flags & OPEN_FLAGS) | O_CLOEXEC;
    how.mode = entry->mode & MODE_BITS;
    how.resolve = RESOLVE_BENEATH;
    return settle_open(entry, keep(CALL(openat2, entry->file, ".", &how, sizeof how, 0, 0)));
  }
  long file = entry->name[0] != 0 ? open_made(entry) : open_held(entry, entry->file);
  if (file < 0) return file;
  /* By now it is open, and nothing was waited for: only what was asked for is given away. */
  if (look_at(file, &facts) < 0 || ((facts.mode & S_IFMT) != S_IFREG && (facts.mode & S_IFMT) != S_IFDIR)) return -EACCES;
  return settle_open(entry, file);
}
