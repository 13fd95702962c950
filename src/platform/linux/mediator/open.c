/*
 * Opens, and connects to sockets in the file system, that the plan does not give: somebody is asked.
 *
 * An open is continued in the kernel unless somebody said yes to it: Landlock holds the caller, so that nothing is won by
 * changing the path meanwhile. What is decided here is only whether there is a question. What a yes opens is held by a
 * descriptor from the moment of the question on, and is opened from that.
 */
enum { O_CREAT = 0100, O_EXCL = 0200, O_TRUNC = 01000, OPEN_FLAGS = 0x7fffc3, TEMPORARY_BIT = 020000000 };
enum { RESOLVE_NO_XDEV = 1, MODE_BITS = 07777, F_SETFL = 4, R_OK = 4, X_OK = 1, S_STICKY = 01000 };
enum { MAP_MEMORY = 0x22, PROT_DATA = 3 };
enum { LINKS_MAXIMUM = 8, NAME_BYTES = 256, ASKED_MAXIMUM = 4096, RULES_MAXIMUM = 256, REPEATED_WITHIN_MS = 1000 };

/* The layout is encodeMediation()'s (sandbox/linux/mediation.ts). */
enum { ACCESS_READ = 1, ACCESS_WRITE = 2, ACCESS_TREE = 4, ACCESS_FORBIDDEN = 8, ACCESS_CONNECT = 16, ACCESS_CREATE = 32, ACCESS_DIRECTORY = 64 };
struct place { long access, offset, length; };
struct asking { long places; struct place place[1]; };

/* As ask-wire.ts has it, both ways; the path follows. */
enum { TOLD_ASKED = 1, TOLD_GONE = 2, TOLD_REFUSED = 3, TOLD_DONE = 4, SAID_ALLOW = 1, SAID_DENY = 2, SAID_RULE = 3 };
struct word {
  u32 bytes, kind;
  u64 id;
  u32 access, tid;
  int result;
  u32 spare;
};
enum { MESSAGE_BYTES = sizeof(struct word) + PATH_BYTES + NAME_BYTES };

/* Why nobody was asked. */
enum { REFUSED_SENSITIVE = 1, REFUSED_KIND = 2, REFUSED_CALLER = 3, REFUSED_FULL = 4, REFUSED_RULE = 5 };

enum { FREE, UNTOLD, TOLD, GONE, DONE };
struct asked {
  /* Of the question, and of the request that waits for it now: another one, when a signal has interrupted the first. */
  u64 id, waiting;
  /* When it was seen that nothing waits, by now(); 0 while something does. */
  u64 lost;
  int state, file, socket, result;
  u32 tid, flags, mode, umask, access;
  /* What is to be made in the directory `file`; empty for what is there. */
  char name[NAME_BYTES];
};
/* Somebody's word for the rest of the session. */
struct rule {
  long access, length;
  char path[PATH_BYTES];
};

/* Descriptors of this thread's own: where it tells and where it is told. */
enum { TELLS = 1, LISTENS = 2 };

static struct asked *asked;
static struct rule *rules;
static int asked_count, asked_end, rule_count;
static u8 outgoing[MESSAGE_BYTES];
static long outgoing_at, outgoing_end;
static char named[PATH_BYTES + NAME_BYTES];
static long named_bytes;
static u32 caller_umask;

static int is_beneath(const char *path, long length, const char *above, long bytes) {
  if (bytes == 1) return path[0] == '/';
  return length >= bytes && are_equal(path, above, bytes) && (path[bytes] == 0 || path[bytes] == '/');
}

static int is_within(const char *directory) { return is_beneath(named, named_bytes, directory, length_of(directory)); }

/* What the plan gives where `named` is; ACCESS_FORBIDDEN where no yes may open it. */
static u32 planned(u32 wanted) {
  struct asking *asking = (struct asking *)((char *)configuration + configuration->asking);
  u32 given = 0;
  for (long at = 0; at < asking->places; at++) {
    struct place *place = &asking->place[at];
    const char *path = (char *)configuration + place->offset;
    if (!(place->access & ACCESS_TREE) && place->length != named_bytes) continue;
    if (!is_beneath(named, named_bytes, path, place->length)) continue;
    if (!(place->access & ACCESS_FORBIDDEN)) given |= place->access & (ACCESS_READ | ACCESS_WRITE);
    else if (place->access & wanted) given |= ACCESS_FORBIDDEN;
  }
  return given;
}

static int flush_outgoing(void) {
  while (outgoing_at < outgoing_end) {
    long sent = CALL(sendto, TELLS, outgoing + outgoing_at, outgoing_end - outgoing_at, MSG_DONTWAIT | MSG_NOSIGNAL, 0, 0);
    if (sent <= 0) return 0;
    outgoing_at += sent;
  }
  return 1;
}

/* @returns 0 when it has to be told later. */
static int tell(u32 kind, struct asked *entry, const char *path, long bytes) {
  struct word *message = (struct word *)outgoing;
  if (!flush_outgoing()) return 0;
  message->bytes = sizeof *message + bytes;
  message->kind = kind;
  message->id = entry->id;
  message->access = entry->access;
  message->tid = entry->tid;
  message->result = entry->result;
  message->spare = 0;
  for (long at = 0; at < bytes; at++) outgoing[sizeof *message + at] = path[at];
  outgoing_at = 0;
  outgoing_end = message->bytes;
  flush_outgoing();
  return 1;
}

/* The kernel refuses it; whoever reads the report sees that it was. Lost when nobody reads: it is no decision. */
static void report_refused(u32 access, int reason) {
  static struct asked entry;
  entry.id = 0;
  entry.tid = request.tid;
  entry.access = access;
  entry.result = reason;
  tell(TOLD_REFUSED, &entry, named, named_bytes);
}

static long refuse(u32 access, int reason) {
  report_refused(access, reason);
  return access & ACCESS_CONNECT ? -EACCES : CONTINUED;
}

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

/* ----- carrying out a yes ----- */

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

/* ----- the question ----- */

static long rights_of_session(u32 wanted) {
  u32 given = 0;
  for (int at = 0; at < rule_count; at++) {
    struct rule *rule = &rules[at];
    if (!(rule->access & ACCESS_TREE) && rule->length != named_bytes) continue;
    if (!is_beneath(named, named_bytes, rule->path, rule->length)) continue;
    if (!(rule->access & ACCESS_FORBIDDEN)) given |= rule->access;
    else if (rule->access & wanted) return -1;
  }
  return given;
}

/*
 * Before Linux 5.19 a signal that has a handler ends the wait, and the call is begun anew after it: the same question, which may have been answered meanwhile.
 */
static int repeats(struct asked *wish, long file) {
  for (int at = 0; at < asked_end; at++) {
    struct asked *entry = &asked[at];
    if ((entry->state != TOLD && entry->state != UNTOLD) || entry->tid != wish->tid || is_waiting(entry->waiting)) continue;
    if (entry->flags != wish->flags || entry->mode != wish->mode || entry->umask != wish->umask || entry->access != wish->access) continue;
    if (!are_equal(entry->name, wish->name, length_of(wish->name) + 1) || !are_same(entry->file, file)) continue;
    entry->waiting = request.id;
    entry->lost = 0;
    if (wish->socket < 0) return 1;
    close_descriptor(entry->socket);
    entry->socket = wish->socket;
    release(wish->socket);
    return 1;
  }
  return 0;
}

static int hears(void);

/* `file` is what is held; `name` what is to be made in it, or 0. `named` says what it is called now. */
static long ask(struct asked *wish, long file, const char *name) {
  u32 wanted = wish->access & (ACCESS_READ | ACCESS_WRITE | ACCESS_CONNECT);
  while (hears()) continue;
  long rights = rights_of_session(wanted);
  if (rights < 0) {
    report_refused(wish->access, REFUSED_RULE);
    return -EACCES;
  }
  wish->id = wish->waiting = request.id;
  wish->lost = 0;
  wish->tid = request.tid;
  wish->umask = caller_umask;
  wish->file = file;
  wish->result = 0;
  wish->name[0] = 0;
  if (name) append(wish->name, name);
  if ((rights & wanted) == wanted) return carry_out(wish);
  if (repeats(wish, file)) return DEFERRED;
  int at = 0;
  while (at < asked_end && asked[at].state != FREE) at++;
  if (at == ASKED_MAXIMUM) return refuse(wish->access, REFUSED_FULL);
  if (!is_waiting(request.id)) return -EPERM;
  if (at == asked_end) asked_end++;
  u8 *to = (u8 *)&asked[at], *from = (u8 *)wish;
  for (long byte = 0; byte < (long)sizeof *wish; byte++) to[byte] = from[byte];
  asked[at].state = UNTOLD;
  asked_count++;
  release(file);
  if (wish->socket >= 0) release(wish->socket);
  return DEFERRED;
}

static int name_file(long file, const char *name) {
  named_bytes = path_of(file, named);
  if (named_bytes == 0) return 0;
  if (name) {
    if (named_bytes > 1) named[named_bytes++] = '/';
    named_bytes = append(named + named_bytes, name) - named;
  }
  return named_bytes < PATH_BYTES;
}

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
  if ((given & wanted) == wanted) return CONTINUED;
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
  if (type != S_IFREG && type != S_IFDIR) return type == S_IFLNK ? CONTINUED : refuse(wish.access, REFUSED_KIND);
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
  if (!name_file(file, 0)) return -EACCES;
  wish.flags = wish.mode = 0;
  wish.access = ACCESS_CONNECT;
  wish.socket = socket;
  if (planned(ACCESS_READ | ACCESS_WRITE) & ACCESS_FORBIDDEN) return refuse(wish.access, REFUSED_SENSITIVE);
  if (!is_permitted(file, W_OK)) return -EACCES;
  if (!is_ordinary_caller()) return refuse(wish.access, REFUSED_CALLER);
  return ask(&wish, file, 0);
}

/* ----- answers ----- */

static void let_go(struct asked *entry) {
  close_descriptor(entry->file);
  close_descriptor(entry->socket);
  entry->file = entry->socket = -1;
}

static void decide(struct asked *entry, int is_allowed) {
  long result = is_allowed ? carry_out(entry) : -EACCES;
  if (entry->access & ACCESS_CONNECT && result == DEFERRED) entry->file = entry->socket = -1;
  entry->result = result < 0 ? result : 0;
  if (result != DEFERRED) send_answer(entry->waiting, result);
  close_opened();
  let_go(entry);
  entry->state = DONE;
}

/* One word of whoever answers. @returns 0 when there is none. */
static int hears(void) {
  static u8 heard[MESSAGE_BYTES + 1];
  struct word *message = (struct word *)heard;
  if (configuration->asking == 0) return 0;
  long bytes = CALL(recvfrom, LISTENS, heard, MESSAGE_BYTES, MSG_DONTWAIT, 0, 0);
  if (bytes < (long)sizeof *message) return 0;
  if (message->kind == SAID_RULE) {
    long length = bytes - sizeof *message;
    if (rule_count == RULES_MAXIMUM || length <= 0 || length >= PATH_BYTES) return 1;
    struct rule *rule = &rules[rule_count++];
    rule->access = message->access;
    rule->length = length;
    for (long at = 0; at < length; at++) rule->path[at] = heard[sizeof *message + at];
    rule->path[length] = 0;
    return 1;
  }
  for (int at = 0; at < asked_end; at++) {
    struct asked *entry = &asked[at];
    if (entry->id == message->id && (entry->state == TOLD || entry->state == UNTOLD)) entry->result = message->kind == SAID_ALLOW ? 1 : 2;
  }
  return 1;
}

static int is_alive(u32 tid) {
  static char text[512];
  char path[64];
  clear(text, sizeof text);
  append(append_number(append(path, "/proc/"), tid), "/stat");
  long file = CALL(openat, AT_FDCWD, path, O_RDONLY | O_CLOEXEC, 0, 0, 0);
  long bytes = file < 0 ? 0 : CALL(read, file, text, sizeof text - 1, 0, 0, 0);
  close_descriptor(file);
  /* The state follows the name, which may have any character in it. */
  while (bytes > 0 && text[bytes - 1] != ')') bytes--;
  return bytes > 0 && text[bytes + 1] != 'Z' && text[bytes + 1] != 'X';
}

/* Nothing waits, but may again in a moment: the answer stays with the question that long. */
static int is_interrupted(struct asked *entry) {
  if (is_waiting(entry->waiting)) return 0;
  if (entry->lost == 0) entry->lost = now();
  return now() - entry->lost < REPEATED_WITHIN_MS && is_alive(entry->tid);
}

/* Carries out what was said; not within another request, whose descriptors and numbers it would take. */
static void obey(void) {
  while (hears()) continue;
  for (int at = 0; at < asked_end; at++) {
    struct asked *entry = &asked[at];
    if (entry->state == TOLD && entry->result != 0 && !is_interrupted(entry)) decide(entry, entry->result == 1);
  }
}

static int has_untold(void) {
  if (outgoing_at < outgoing_end) return 1;
  for (int at = 0; at < asked_end; at++) if (asked[at].state != FREE && asked[at].state != TOLD) return 1;
  return 0;
}

/* Tells what has not been told yet, as far as it is taken. */
static void tell_asked(void) {
  for (int at = 0; at < asked_end && flush_outgoing(); at++) {
    struct asked *entry = &asked[at];
    if (entry->state == UNTOLD) {
      named_bytes = 0;
      name_file(entry->file, entry->name[0] ? entry->name : 0);
      if (!tell(TOLD_ASKED, entry, named, named_bytes)) return;
      entry->state = TOLD;
    } else if (entry->state == GONE || entry->state == DONE) {
      if (!tell(entry->state == GONE ? TOLD_GONE : TOLD_DONE, entry, 0, 0)) return;
      entry->state = FREE;
      asked_count--;
    }
  }
  while (asked_end > 0 && asked[asked_end - 1].state == FREE) asked_end--;
}

static void look_for_gone(void) {
  for (int at = 0; at < asked_end; at++) {
    struct asked *entry = &asked[at];
    if ((entry->state != TOLD && entry->state != UNTOLD) || is_waiting(entry->waiting) || is_interrupted(entry)) continue;
    let_go(entry);
    entry->state = entry->state == TOLD ? GONE : FREE;
    if (entry->state == FREE) asked_count--;
  }
}

static int prepare_asking(void) {
  long sizes[2];
  sizes[0] = ASKED_MAXIMUM * sizeof(struct asked);
  sizes[1] = RULES_MAXIMUM * sizeof(struct rule);
  long memory = CALL(mmap, 0, sizes[0] + sizes[1], PROT_DATA, MAP_MEMORY, -1, 0);
  if (memory < 0 && memory > -4096) return 0;
  asked = (struct asked *)memory;
  rules = (struct rule *)(memory + sizes[0]);
  return 1;
}
