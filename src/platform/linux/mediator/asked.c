/*
 * Opens, and connects to sockets in the file system, that the plan does not give: somebody is asked. Here is what is
 * asked, and how it is told (sandbox/linux/ask-wire.ts).
 *
 * An open is continued in the kernel unless somebody said yes to it: Landlock holds the caller, so that nothing is won by
 * changing the path meanwhile. What is decided here is only whether there is a question. What a yes opens is held by a
 * descriptor from the moment of the question on, and is opened from that.
 */
enum { O_CREAT = 0100, O_EXCL = 0200, O_TRUNC = 01000, OPEN_FLAGS = 0x7fffc3, TEMPORARY_BIT = 020000000 };
enum { RESOLVE_NO_XDEV = 1, MODE_BITS = 07777, F_SETFL = 4, R_OK = 4, X_OK = 1 };
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

static int name_file(long file, const char *name) {
  named_bytes = path_of(file, named);
  if (named_bytes == 0) return 0;
  if (name) {
    if (named_bytes > 1) named[named_bytes++] = '/';
    named_bytes = append(named + named_bytes, name) - named;
  }
  return named_bytes < PATH_BYTES;
}
