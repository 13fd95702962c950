/* To the terminal of the other side, without the connection. */

/* include/uapi/asm-generic/fcntl.h */
enum { LOCK_EX_NB = 2 | 4, LOCK_UN = 8 };
/* So long after a key was read nobody is asked whether its terminal may be drawn on: most echoes are there by then. */
enum { JUST_NANOSECONDS = 500000 };

/* Something is to go by the connection: whoever writes directly would overtake it. */
static void is_not_direct(struct relay *r) {
  if (r->is_direct) r->is_direct_lost = 1;
  r->is_direct = 0;
}

/*
 * Whoever reads that terminal runs, in its foreground: a process that was stopped, or that another one has taken the terminal from, has nothing drawn there. Of
 * /proc/PID/stat (proc_pid_stat(5)), behind the name, which may hold anything: state, parent, group, session, terminal, group in the foreground.
 */
static int is_in_foreground(struct relay *r) {
  u8 text[192];
  long length = CALL(r, pread64, r->fares, text, sizeof text - 1, 0, 0, 0);
  if (length <= 0) return 0;
  text[length] = 0;
  long at = length - 1;
  while (at > 0 && text[at] != ')') at--;
  if (length - at < 4) return 0;
  u8 *next_field = text + at + 2;
  u8 state = *next_field;
  if (state != 'R' && state != 'S' && state != 'D') return 0;
  u64 fields[5];
  for (int field = 0; field < 5; field++) {
    while (*next_field && *next_field != ' ') next_field++;
    if (!*next_field) return 0;
    next_field++;
    fields[field] = 0;
    for (u8 *digit = next_field; *digit >= '0' && *digit <= '9'; digit++) fields[field] = fields[field] * 10 + *digit - '0';
  }
  /* Groups that are not of this pid namespace are 0, whichever they are. */
  return fields[1] && fields[1] == fields[4];
}

/* A permit that is void has something in it (permit.ts). */
static int is_permitted(struct relay *r) {
  u8 byte;
  return CALL(r, pread64, r->permit, &byte, 1, 0, 0, 0) == 0;
}

/*
 * It was in the foreground and ran a moment ago, since the kernel let it read: how it fares takes longer to be told than all else that is done for an echo. A time
 * that another one's clock shows (time_namespaces(7)) is none.
 */
static int was_just_typed(struct relay *r) {
  if (!r->typed_at) return 0;
  long age = now(r) - *r->typed_at;
  return age >= 0 && age < JUST_NANOSECONDS;
}

/* What is plain and has come by itself goes where it is wanted, without anybody in between; the rest, by the connection, is behind it. */
static void write_direct(struct relay *r, long read_at) {
  u8 *bytes = r->up + r->sent;
  long length = r->mine - r->sent;
  long written = 0;
  if (r->header_left == 0 && length <= READ_BYTES && (!r->is_session || harmless_length(r, bytes, length) == length) &&
      CALL(r, flock, r->permit, LOCK_EX_NB, 0, 0, 0, 0) == 0) {
    /* In this order: whoever has the permit now may have to do with it being stopped. */
    if (is_permitted(r) && (r->fares < 0 || was_just_typed(r) || is_in_foreground(r))) {
      /* Before, since this thread may have no processor when the echo comes. */
      if (read_at) *r->typed_at = read_at;
      written = CALL(r, write, r->direct, bytes, length, 0, 0, 0);
    }
    CALL(r, flock, r->permit, LOCK_UN, 0, 0, 0, 0);
  }
  if (written > 0) r->sent += written;
  if (written != length) is_not_direct(r);
}

