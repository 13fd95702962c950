/*
 * What was refused because the plan does not give it, for whoever started the command to say when it has failed: in memory that is shared with it
 * (sandbox/linux/refusals.ts reads it). Only what would have worked with a grant is noted, each once, with how often.
 */
enum { REFUSED_CHANGE = 1, REFUSED_DIRECTORY_CHANGE = 2, REFUSED_CONNECT = 3, REFUSED_PORT = 4, REFUSED_LISTEN = 5 };
enum { REFUSALS_BYTES = 16384, CAP_FOWNER = 3 };
/* The name follows; the next one begins at a multiple of 8. */
struct refusal { u32 kind, times, name_bytes, spare; };
/* `bytes` of all entries; `more` is how often there was no room. */
struct refusals { u32 bytes, more; };

/* 0 where nobody will ask. */
static struct refusals *refusals;

static void note_refusal(u32 kind, const char *name, long bytes) {
  u8 *first = (u8 *)refusals + sizeof *refusals;
  struct refusal *entry;
  for (u32 at = 0; at < refusals->bytes; at += sizeof *entry + ((entry->name_bytes + 7) & ~7)) {
    entry = (struct refusal *)(first + at);
    if (entry->kind != kind || entry->name_bytes != bytes || !are_equal((char *)(entry + 1), name, bytes)) continue;
    entry->times++;
    return;
  }
  u32 whole = sizeof *entry + ((bytes + 7) & ~7);
  if (whole > REFUSALS_BYTES - sizeof *refusals - refusals->bytes) {
    refusals->more++;
    return;
  }
  entry = (struct refusal *)(first + refusals->bytes);
  entry->kind = kind;
  entry->times = 1;
  entry->name_bytes = bytes;
  copy(entry + 1, (void *)name, bytes);
  refusals->bytes += whole;
}

/* Mode, owner, times or attributes of what `file` is: where it is the user's own, so that a grant would have given it. */
static void note_change(long file) {
  static struct facts facts;
  static char path[PATH_BYTES];
  if (refusals == 0 || look_at(file, &facts) < 0) return;
  int type = facts.mode & S_IFMT;
  if (type != S_IFREG && type != S_IFDIR) return;
  if (facts.uid != (u32)CALL(getuid, 0, 0, 0, 0, 0, 0) && !(own_capabilities[0] & 1 << CAP_FOWNER)) return;
  long length = path_of(file, path);
  if (length > 0 && is_waiting(request.id)) note_refusal(type == S_IFDIR ? REFUSED_DIRECTORY_CHANGE : REFUSED_CHANGE, path, length);
}

/* A socket that the user may write to. */
static void note_connect(long file) {
  static char path[PATH_BYTES];
  if (refusals == 0 || CALL(faccessat2, file, "", W_OK, AT_EMPTY_PATH | AT_EACCESS, 0, 0) < 0) return;
  long length = path_of(file, path);
  if (length > 0 && is_waiting(request.id)) note_refusal(REFUSED_CONNECT, path, length);
}

static void note_port(u32 kind, long port) {
  char text[24];
  if (refusals && port != 0) note_refusal(kind, text, append_number(text, port) - text);
}
