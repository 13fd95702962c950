/*
 * Passes bytes between a terminal and a connection beside the loop of JavaScript, as a thread that the runtime does not know: it uses no library and
 * nothing of its process but this code, one stack and the memory of its relay. What it may pass on is decided in JavaScript, which closes a direction
 * before it does anything by itself; whatever is not plain is left to it, with all that follows. Numbers of calls (CALL_name) are
 * defined by whoever compiles it (load.ts).
 */
enum { EINTR = 4, EAGAIN = 11, POLLIN = 1, POLLOUT = 4, CLOCK_MONOTONIC = 1 };
/* include/uapi/asm-generic/fcntl.h, asm-generic/socket.h, linux/socket.h */
enum { LOCK_EX_NB = 2 | 4, LOCK_UN = 8, SOL_SOCKET = 1, SCM_RIGHTS = 1, MSG_CMSG_CLOEXEC = 0x40000000 };
/* include/uapi/asm-generic/signal.h, signal-defs.h */
enum { SIGTTIN = 21, SIG_UNBLOCK = 1 };
enum { ESCAPE = 0x1b, CSI = '[' };
/* Of `special`: an escape is, and keys of the cursor are not. */
enum { ESCAPE_OF_KEYS = 2 };
enum { VERSION = 1, HEADER_BYTES = 8, FRAME_BYTES = 128 * 1024 };
/* A terminal gives this at most at a time; so often it is asked again before anything else is done. */
enum { READ_BYTES = 4096, READS = 64 };
/* Told at once when it is so much, else after a while: whoever waits for an echo needs the processor more. So little waits for a pause. */
enum { MUCH_BYTES = 512 * 1024, LITTLE_BYTES = 4 * 1024 };
enum { HELD_BYTES = 64 };
/* Of one message; more are not taken by the kernel. */
enum { CAME_MAXIMUM = 4 };
/* So often in a row an answer is looked out for in vain before it is only done now and then. */
enum { VAIN_MAXIMUM = 8, VAIN_STRIDE = 16 };

/* Words; the layout is that of WORDS in relay.ts. Everything is read and written under the lock, but for what comes before `number`. */
struct relay {
  /* The system call itself, which answers -errno; a semaphore; what wakes this thread; what tells JavaScript. */
  long (*system)(long number, long a, long b, long c, long d, long e, long f);
  long lock;
  long nudge;
  long tell;
  /* Whether the one end is a session's own terminal: JavaScript is given all that comes from there, also what has been passed on. */
  long is_session;
  /*
   * Types of the frames that are written and understood; in nanoseconds, how long JavaScript need not know, how long an answer is looked out for, and of
   * little output, how long a pause is that JavaScript is told in, and how long it need not know while there is none.
   */
  long frame_out;
  long frame_in;
  long patience;
  long eagerness;
  long pause;
  long longest;
  /* Counts changes of what follows. */
  long number;
  long is_over;
  long terminal;
  long wire;
  /* The directions that are open. */
  long from_terminal;
  long to_terminal;
  /* Whether the terminal is put back from colours, and from the modes of is_usual(); they are not passed on otherwise. */
  long has_pen;
  /* JavaScript was told and has not come yet; the ends that have ended; it wants to know when the terminal takes something again, 2 for now it does. */
  long is_told;
  long terminal_ended;
  long wire_ended;
  long wants_room;
  /* From the terminal: up to `given` JavaScript has it; up to `sent` the connection, up to `mine` it is to get it from here. */
  u8 *up;
  long up_size;
  long up_head;
  long given;
  long sent;
  long mine;
  /* The frame that is being written: what is left of its header and its contents. */
  long header_left;
  long frame_left;
  u8 header[8];
  /* From the connection: from `start` on it is for JavaScript, or not looked at; up to `pending_end` the terminal has still to take it, which ends a frame. */
  u8 *down;
  long down_size;
  long down_head;
  long start;
  long pending;
  long pending_end;
  /* The beginning of a sequence whose end has not come. */
  long held_length;
  u8 held[HELD_BYTES];
  /* What is not plain of what a terminal sends. */
  u8 special[256];
  /*
   * Where the connection leads to, to be written to without it; what is locked meanwhile; how whoever has that terminal fares, -1 where nobody has
   * to be asked. It may be done (1) when the other side has all that the connection was given; 2 while it is asked for that.
   */
  long direct;
  long permit;
  long fares;
  long is_direct;
  /* It was so, or was asked for, and is not any more: JavaScript is to ask again. */
  long is_direct_lost;
  /* Descriptors that came over the connection and nobody has taken. */
  long came_count;
  int came[CAME_MAXIMUM];
  /* Until when an answer to what was passed on is looked out for, or 0; how often in a row none came. */
  long eager_until;
  long vain;
};

static struct relay *next;

#define CALL(r, name, a, b, c, d, e, f) (r)->system(CALL_##name, (long)(a), (long)(b), (long)(c), (long)(d), (long)(e), (long)(f))

struct poll { int descriptor; short events, happened; };
struct vector { u8 *address; long length; };
struct time { long seconds, nanoseconds; };
/* struct msghdr and cmsghdr of socket(7), cmsg(3). */
struct message { void *name; long name_length; struct vector *vectors; long vector_count; void *control; u64 control_length; long flags; };
struct control { u64 length; int level, type; int descriptors[CAME_MAXIMUM]; };

static void lock(struct relay *r) {
  u64 one;
  while (CALL(r, read, r->lock, &one, 8, 0, 0, 0) < 0) continue;
}

static void unlock(struct relay *r) {
  u64 one = 1;
  CALL(r, write, r->lock, &one, 8, 0, 0, 0);
}

static void tell(struct relay *r) {
  u8 byte = 0;
  if (r->is_told) return;
  r->is_told = 1;
  CALL(r, write, r->tell, &byte, 1, 0, 0, 0);
}

static long now(struct relay *r) {
  struct time time;
  CALL(r, clock_gettime, CLOCK_MONOTONIC, &time, 0, 0, 0, 0);
  return time.seconds * 1000000000 + time.nanoseconds;
}

/* Sequences that move the cursor, erase, scroll and colour: nothing that outlives the screen, and nothing that is answered. */
static int is_harmless(u8 final, int sets_something, struct relay *r) {
  if (final == 'm') return r->has_pen || !sets_something;
  return final == '@' || (final >= 'A' && final <= 'M') || final == 'P' || final == 'S' || final == 'T' || final == 'X' || final == 'Z' ||
    final == '`' || final == 'a' || final == 'b' || final == 'd' || final == 'e' || final == 'f';
}

/*
 * Private modes that programs set all the time: keys of the cursor, the cursor itself, its blinking (only off), marks around what is pasted, synchronized
 * updates.
 */
static int is_usual(long mode, u8 final) {
  if (final == 'l' && mode == 12) return 1;
  return (final == 'h' || final == 'l') && (mode == 1 || mode == 25 || mode == 2004 || mode == 2026);
}

/* No escape among eight bytes. */
static int is_text(u64 word) {
  u64 other = word ^ 0x1b1b1b1b1b1b1b1bUL;
  return ((other - 0x0101010101010101UL) & ~other & 0x8080808080808080UL) == 0;
}

/*
 * How much of the bytes a terminal may be shown without anybody having read them: all but a sequence at the end that is not complete.
 *
 * @returns -1 when there is anything in them that somebody has to read.
 */
static long harmless_length(struct relay *r, u8 *bytes, long length) {
  long at = 0;
  for (;;) {
    while (at + 8 <= length && is_text(*(u64 *)(bytes + at))) at += 8;
    while (at < length && bytes[at] != ESCAPE) at++;
    if (at >= length) return length;
    long begin = at++;
    if (at >= length) return begin;
    u8 second = bytes[at++];
    if (second == '7' || second == '8' || second == 'D' || second == 'E' || second == 'M') continue;
    if ((second == '=' || second == '>') && r->has_pen) continue;
    if (second == '(') {
      if (at >= length) return begin;
      if (bytes[at++] != 'B') return -1;
      continue;
    }
    if (second != CSI) return -1;
    int is_private = at < length && bytes[at] == '?';
    if (is_private && !r->has_pen) return -1;
    at += is_private;
    int sets_something = 0;
    long number = 0;
    u8 byte = 0;
    for (; at < length; at++) {
      byte = bytes[at];
      if (byte < '0' || byte > ';') break;
      if (is_private && (byte > '9' || number > 9999)) return -1;
      number = number * 10 + byte - '0';
      if (byte >= '1' && byte <= '9') sets_something = 1;
    }
    if (at >= length) return length - begin <= HELD_BYTES ? begin : -1;
    if (is_private ? !is_usual(number, byte) : !is_harmless(byte, sets_something, r)) return -1;
    at++;
  }
}

/* Keys of the cursor, in either of their forms: no terminal answers like that. An escape by itself may be the beginning of anything. */
static int is_cursor_key(u8 *bytes, long length) {
  return length >= 3 && bytes[0] == ESCAPE && (bytes[1] == CSI || bytes[1] == 'O') &&
    ((bytes[2] >= 'A' && bytes[2] <= 'D') || bytes[2] == 'H' || bytes[2] == 'F');
}

static int is_plain(struct relay *r, u8 *bytes, long length) {
  for (long at = 0; at < length; at++) {
    if (!r->special[bytes[at]]) continue;
    if (r->special[ESCAPE] != ESCAPE_OF_KEYS || !is_cursor_key(bytes + at, length - at)) return 0;
    at += 2;
  }
  return 1;
}

/* Something is to go by the connection: whoever writes directly would overtake it. */
static void is_not_direct(struct relay *r) {
  if (r->is_direct) r->is_direct_lost = 1;
  r->is_direct = 0;
}

/* What was read from the terminal and is to go from here, as frames. @returns 0 when the connection takes no more. */
static int send_frames(struct relay *r) {
  struct vector vectors[2];
  while (r->sent < r->mine || r->header_left > 0) {
    is_not_direct(r);
    if (r->header_left == 0 && r->frame_left == 0) {
      long length = r->mine - r->sent < FRAME_BYTES ? r->mine - r->sent : FRAME_BYTES;
      r->header[0] = VERSION;
      r->header[1] = r->frame_out;
      r->header[2] = r->header[3] = 0;
      *(u32 *)(r->header + 4) = length;
      r->header_left = HEADER_BYTES;
      r->frame_left = length;
    }
    vectors[0].address = r->header + HEADER_BYTES - r->header_left;
    vectors[0].length = r->header_left;
    vectors[1].address = r->up + r->sent;
    vectors[1].length = r->frame_left;
    long written = CALL(r, writev, r->wire, vectors, 2, 0, 0, 0);
    if (written == -EINTR) continue;
    if (written == -EAGAIN) return 0;
    if (written < 0) {
      /* Nobody is there any more; reading says so, after what that side has still said. */
      r->from_terminal = r->to_terminal = 0;
      r->header_left = r->frame_left = 0;
      r->sent = r->mine;
      tell(r);
      return 1;
    }
    long of_header = written < r->header_left ? written : r->header_left;
    r->header_left -= of_header;
    r->frame_left -= written - of_header;
    r->sent += written - of_header;
  }
  return 1;
}

static void settle_up(struct relay *r) {
  if (r->sent < r->mine || r->header_left > 0 || r->given < r->up_head) return;
  r->up_head = r->given = r->sent = r->mine = 0;
}

/* What the connection did not take is left to JavaScript: the other end is to be read all the same. */
static void pass_up(struct relay *r) {
  if (send_frames(r) || r->is_session) return;
  r->from_terminal = 0;
  tell(r);
}

/*
 * What is typed is echoed in a moment, mostly. A processor that has gone to sleep takes longer to wake up than the echo takes to come, so it is kept
 * from that for as long.
 */
static void look_out(struct relay *r) {
  if (r->eagerness && (r->vain < VAIN_MAXIMUM || r->vain % VAIN_STRIDE == 0)) r->eager_until = now(r) + r->eagerness;
  else r->vain++;
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

/* What is plain and has come by itself goes where it is wanted, without anybody in between; the rest, by the connection, is behind it. */
static void write_direct(struct relay *r) {
  u8 *bytes = r->up + r->sent;
  long length = r->mine - r->sent;
  long written = 0;
  if (r->header_left == 0 && length <= READ_BYTES && (!r->is_session || harmless_length(r, bytes, length) == length) &&
      CALL(r, flock, r->permit, LOCK_EX_NB, 0, 0, 0, 0) == 0) {
    /* In this order: whoever has the permit now may have to do with it being stopped. */
    if (is_permitted(r) && (r->fares < 0 || is_in_foreground(r))) written = CALL(r, write, r->direct, bytes, length, 0, 0, 0);
    CALL(r, flock, r->permit, LOCK_UN, 0, 0, 0, 0);
  }
  if (written > 0) r->sent += written;
  if (written != length) is_not_direct(r);
}

static void read_terminal(struct relay *r) {
  long before = r->up_head;
  for (int count = 0; count < READS && r->up_size - r->up_head >= READ_BYTES; count++) {
    long length = CALL(r, read, r->terminal, r->up + r->up_head, READ_BYTES, 0, 0, 0);
    if (length == -EINTR) continue;
    if (length == -EAGAIN) break;
    if (length <= 0) {
      r->terminal_ended = 1;
      tell(r);
      break;
    }
    r->up_head += length;
    /* What is typed is rarely more, and goes at once. */
    if (!r->is_session) break;
  }
  long length = r->up_head - before;
  if (length == 0) return;
  if (r->from_terminal && !r->is_session && !is_plain(r, r->up + before, length)) r->from_terminal = 0;
  if (!r->from_terminal) {
    tell(r);
    return;
  }
  r->mine = r->up_head;
  if (!r->is_session) r->given = r->up_head;
  if (r->is_direct == 1) write_direct(r);
  int is_by_connection = r->sent < r->mine;
  pass_up(r);
  settle_up(r);
  /* What was not needed for the key is not needed for its echo, and that processor is missed elsewhere. */
  if (is_by_connection) look_out(r);
}

/* @returns 0 when the terminal takes no more. */
static int write_pending(struct relay *r) {
  while (r->pending < r->pending_end) {
    long written = CALL(r, write, r->terminal, r->down + r->pending, r->pending_end - r->pending, 0, 0, 0);
    if (written == -EINTR) continue;
    if (written == -EAGAIN) return 0;
    /* It was hung up, which reading says too. */
    if (written < 0) written = r->pending_end - r->pending;
    r->pending += written;
  }
  return 1;
}

static void move(u8 *to, u8 *from, long length) {
  while (length-- > 0) *to++ = *from++;
}

/* Of a frame that is all there: what may go to the terminal goes. @returns 0 when JavaScript has to. */
static int take_frame(struct relay *r, u8 *payload, long length) {
  long shown = length;
  if (r->is_session) {
    if (!is_plain(r, payload, length)) return 0;
  } else {
    /* What is held stands before it, over the header, in memory of which nobody needs anything any more. */
    u8 over[HELD_BYTES];
    long held = r->held_length;
    move(over, payload - held, held);
    move(payload - held, r->held, held);
    shown = harmless_length(r, payload - held, length + held) - held;
    if (shown < -held) {
      move(payload - held, over, held);
      return 0;
    }
    payload -= held;
    length += held;
    shown += held;
    r->held_length = length - shown;
    move(r->held, payload + shown, length - shown);
  }
  r->pending = payload - r->down;
  r->pending_end = r->pending + shown;
  return 1;
}

static void pass_down(struct relay *r) {
  while (r->to_terminal && r->pending == r->pending_end && r->down_head - r->start >= HEADER_BYTES) {
    u8 *frame = r->down + r->start;
    long length = *(u32 *)(frame + 4);
    int is_ours = frame[0] == VERSION && frame[1] == r->frame_in && frame[2] == 0 && frame[3] == 0 && length <= FRAME_BYTES;
    if (is_ours && r->down_head - r->start < HEADER_BYTES + length) break;
    if (!is_ours || !take_frame(r, frame + HEADER_BYTES, length)) {
      r->to_terminal = 0;
      break;
    }
    r->start += HEADER_BYTES + length;
    /* What a command does not take is kept by JavaScript, since its client may have more to say. */
    if (!write_pending(r) && r->is_session) r->to_terminal = 0;
  }
  if (!r->to_terminal && (r->start < r->down_head || r->pending < r->pending_end)) tell(r);
}

/* There is always room for what is held before what has been read. */
static void settle_down(struct relay *r) {
  if (!r->to_terminal || r->pending < r->pending_end || r->start == HELD_BYTES) return;
  if (r->start < r->down_head && r->start < r->down_size / 2) return;
  move(r->down + HELD_BYTES, r->down + r->start, r->down_head - r->start);
  r->down_head -= r->start - HELD_BYTES;
  r->start = r->pending = r->pending_end = HELD_BYTES;
}

/* Where somebody has not taken those that came before, nobody wants these. */
static void take_descriptors(struct relay *r, struct control *control) {
  long count = ((long)control->length - 16) / (long)sizeof(int);
  if (control->level != SOL_SOCKET || control->type != SCM_RIGHTS) return;
  for (long at = 0; at < count && at < CAME_MAXIMUM; at++) {
    if (r->came_count == CAME_MAXIMUM) CALL(r, close, control->descriptors[at], 0, 0, 0, 0, 0);
    else r->came[r->came_count++] = control->descriptors[at];
  }
}

static void read_wire(struct relay *r) {
  struct vector vector;
  struct control control;
  struct message message;
  vector.address = r->down + r->down_head;
  vector.length = r->down_size - r->down_head;
  message.name = 0;
  message.name_length = 0;
  message.vectors = &vector;
  message.vector_count = 1;
  message.control = &control;
  message.control_length = sizeof control;
  message.flags = 0;
  long length = CALL(r, recvmsg, r->wire, &message, MSG_CMSG_CLOEXEC, 0, 0, 0);
  if (length >= 0 && message.control_length >= 16) take_descriptors(r, &control);
  if (length == -EINTR || length == -EAGAIN) return;
  if (length <= 0) {
    r->wire_ended = 1;
    r->to_terminal = 0;
    tell(r);
    return;
  }
  r->down_head += length;
  pass_down(r);
  settle_down(r);
}

/* JavaScript has not had all that the terminal sent, or is to ask again, and was not told. */
static int owes(struct relay *r) { return !r->is_told && (r->is_direct_lost || (r->is_session && r->given < r->up_head)); }

/*
 * When JavaScript is to be told of what it is owed since then: in a pause, or, where there is none for long, a moment after something came. What
 * it does with one echo is done before the next key, mostly.
 */
static long due_at(struct relay *r, long since, long last) {
  if (r->is_direct_lost || r->up_head - r->given > LITTLE_BYTES) return since + r->patience;
  long after_last = last + (last - since < r->longest ? r->pause : r->patience);
  long latest = since + r->longest + r->pause;
  return after_last < latest ? after_last : latest;
}

/* include/uapi/linux/sched/types.h */
struct scheduling { u32 size, policy; u64 flags; u32 nice, priority; u64 runtime, deadline, period; };
enum { SLICE_NANOSECONDS = 100000, NICE_OF_GETPRIORITY = 20, SCHED_FLAG_KEEP_POLICY = 8 };

/*
 * This thread never runs for long, and somebody waits for what it does: from Linux 6.12 on it may say so, and is not kept waiting for the whole slice of
 * whoever runs (kernel/sched/fair.c, PREEMPT_SHORT). Before, nothing changes.
 */
static void ask_for_short_slices(struct relay *r) {
  struct scheduling wanted;
  long nice = CALL(r, getpriority, 0, 0, 0, 0, 0, 0);
  if (nice < 0) return;
  wanted.size = sizeof wanted;
  wanted.policy = wanted.priority = wanted.deadline = wanted.period = 0;
  /* Who was started with another one keeps it (chrt(1)). */
  wanted.flags = SCHED_FLAG_KEEP_POLICY;
  wanted.nice = NICE_OF_GETPRIORITY - nice;
  wanted.runtime = SLICE_NANOSECONDS;
  CALL(r, sched_setattr, 0, &wanted, 0, 0, 0, 0);
}

/*
 * This thread begins with all signals blocked. With this one the kernel does not stop a process in the background that reads, but tells it that its terminal
 * has ended (drivers/tty/tty_jobctrl.c); nobody has a handler for it, which could not run here.
 */
static void let_stop_in_background(struct relay *r) {
  u64 signals = 1UL << (SIGTTIN - 1);
  if (!r->is_session) CALL(r, rt_sigprocmask, SIG_UNBLOCK, &signals, 0, sizeof signals, 0, 0);
}

static void relay_main(void) {
  struct relay *r = next;
  struct poll polled[3];
  struct time patience;
  long since = 0;
  long last = 0;
  long last_head = 0;
  u64 count;
  ask_for_short_slices(r);
  let_stop_in_background(r);
  /* It is created locked: whoever takes it first knows that this has begun. */
  for (;; lock(r)) {
    if (r->is_over) {
      r->is_over = 2;
      break;
    }
    long number = r->number;
    int is_full = r->up_size - r->up_head < READ_BYTES;
    if (is_full || (owes(r) && r->is_session && r->up_head - r->given >= MUCH_BYTES)) tell(r);
    int is_owing = owes(r);
    long begun = is_owing ? now(r) : 0;
    if (!is_owing || since == 0) since = begun;
    if (since == begun || r->up_head != last_head) last = begun;
    last_head = r->up_head;
    long due = is_owing ? due_at(r, since, last) : 0;
    polled[0].descriptor = r->nudge;
    polled[0].events = POLLIN;
    polled[1].events = (is_full || r->terminal_ended ? 0 : POLLIN) | (r->wants_room == 1 || r->pending < r->pending_end ? POLLOUT : 0);
    polled[2].events = (r->down_head == r->down_size || r->wire_ended || r->pending < r->pending_end ? 0 : POLLIN) |
      (r->sent < r->mine || r->header_left > 0 ? POLLOUT : 0);
    /* Of what is not asked, the end would be told for ever. */
    polled[1].descriptor = polled[1].events ? r->terminal : -1;
    polled[2].descriptor = polled[2].events ? r->wire : -1;
    unlock(r);

    patience.seconds = patience.nanoseconds = 0;
    long happened = 0;
    if (r->eager_until) {
      do happened = CALL(r, ppoll, polled, 3, &patience, 0, 8, 0);
      while (happened == 0 && now(r) < r->eager_until);
      r->vain = happened == 0 ? r->vain + 1 : 0;
      r->eager_until = 0;
    }
    patience.nanoseconds = due > begun ? due - begun : 0;
    if (happened == 0) happened = CALL(r, ppoll, polled, 3, is_owing ? &patience : 0, 0, 8, 0);
    if (happened > 0 && polled[0].happened) CALL(r, read, polled[0].descriptor, &count, 8, 0, 0, 0);

    lock(r);
    if (is_owing && now(r) >= due) tell(r);
    /* Of the ends that there were. */
    if (happened > 0 && number == r->number && !r->is_over) {
      if (polled[1].happened & ~POLLIN && r->pending < r->pending_end && write_pending(r)) {
        pass_down(r);
        settle_down(r);
      }
      if (polled[1].happened & ~POLLIN && r->wants_room == 1) {
        r->wants_room = 2;
        tell(r);
      }
      if (polled[2].happened & ~POLLIN && (r->sent < r->mine || r->header_left > 0)) {
        pass_up(r);
        settle_up(r);
      }
      if (polled[1].happened & ~POLLOUT && polled[1].events & POLLIN) read_terminal(r);
      if (polled[2].happened & ~POLLOUT && polled[2].events & POLLIN) read_wire(r);
    }
    unlock(r);
  }
  unlock(r);
  for (;;) CALL(r, exit, 0, 0, 0, 0, 0, 0);
}

/* @returns where a thread for this relay begins; another may be prepared when that one has unlocked it. */
static void *relay_prepare(struct relay *relay) {
  next = relay;
  return (void *)relay_main;
}
