/*
 * Passes bytes between a terminal and a connection beside the loop of JavaScript, as a thread that the runtime does not know: it uses no library and
 * nothing of its process but this code, one stack and the memory of its relay. What it may pass on is decided in JavaScript, which closes a direction
 * before it does anything by itself; whatever is not plain is left to it, with all that follows. Numbers of calls (CALL_name) are
 * defined by whoever compiles it (load.ts).
 */
enum { EINTR = 4, EAGAIN = 11, POLLIN = 1, POLLOUT = 4, CLOCK_MONOTONIC = 1 };
enum { ESCAPE = 0x1b, CSI = '[' };
enum { VERSION = 1, HEADER_BYTES = 8, FRAME_BYTES = 128 * 1024 };
/* A terminal gives this at most at a time. */
enum { READ_BYTES = 4096 };
enum { HELD_BYTES = 64 };
/* Descriptors of one message; more are not taken by the kernel. */
enum { CAME_MAXIMUM = 4 };

/* Words; the layout is that of WORDS in relay-memory.ts. Everything is read and written under the lock, but for what comes before `number`. */
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
   * to be asked; when the client began last to read a key from its terminal, 0 where nobody tells. It may be done (1) when the other side has all that the connection was given; 2 while it is asked for that.
   */
  long direct;
  long permit;
  long fares;
  volatile long *typed_at;
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

struct vector { u8 *address; long length; };
struct time { long seconds, nanoseconds; };

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

