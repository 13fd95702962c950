/* Connects and sends that have to wait, so that the mediator does not. */

enum { SOL_SOCKET = 1, SO_TYPE = 3, SO_SNDTIMEO = 21, SO_PROTOCOL = 38, SO_DOMAIN = 39, SO_BINDTOIFINDEX = 62 };
enum { AF_UNSPEC = 0, AF_UNIX = 1, AF_INET = 2, AF_INET6 = 10, AF_NETLINK = 16 };
enum { SOCK_STREAM = 1, SOCK_DGRAM = 2, SOCK_SEQPACKET = 5, SOCK_TYPE_MASK = 0xf, IPPROTO_TCP = 6 };
enum { ADDRESS_BYTES = 128, INET6_ADDRESS_BYTES = 28, UNIX_PATH_AT = 2, PENDING_MAXIMUM = 256, POLLIN = 1, POLLOUT = 4 };

/*
 * A blocking connect is interrupted within this time, and again until it gives way; it goes on as a pending one. What is on this machine (NEAR) waits only
 * where a queue is full, and may take longer: each tick costs as much as a connect. Where the last ones (one of NEAR, four of FAR) waited in vain the next kind holds for a while.
 */
enum { VAIN, FAR, NEAR, KINDS };
enum { VAIN_NS = 100000, FAR_NS = 400000, NEAR_NS = 4000000, FAR_IN_VAIN = 4, DOUBTED = 100 };

struct pending {
  u64 id;
  int socket;
  /* What a local address leads through; -1 for one of the network, and for a send. */
  int file;
  /* Which socket that is. */
  u64 inode, device;
  /* A send is begun anew, from what was asked; for a connect its number is 0. */
  struct request send;
  /* Whether the socket tells when to try again. */
  int is_polled;
  u32 address_bytes;
  /* CLOCK_MONOTONIC, milliseconds; 0 for none. */
  u64 deadline;
  u8 address[ADDRESS_BYTES];
};
static struct pending pending[PENDING_MAXIMUM];
static int pending_count;

/* For each kind, with a signal of its own. */
static int timers[KINDS], is_ticking[KINDS];
/* What is blocked while a connect may wait, and otherwise. */
static u64 waiting_masks[KINDS], working_mask;
/* The signal of NEAR is not blocked; and it has come since then. */
static int may_be_interrupted;
static volatile int was_interrupted;
static u8 address[ADDRESS_BYTES + 1];
static long address_bytes;

enum { SIG_SETMASK = 2 };

static void set_mask(u64 *mask) { CALL(rt_sigprocmask, SIG_SETMASK, mask, 0, 8, 0, 0); }

static void block_interrupts(void) {
  if (may_be_interrupted) set_mask(&working_mask);
  may_be_interrupted = 0;
}

/*
 * Once begun they are never stopped: to program the clock anew for each connect costs more than the connect. They make no work where nothing
 * connects, since a timer whose signal is blocked and pending waits until that is taken (posix_timer_fn() of kernel/time/posix-timers.c).
 */
static void begin_ticking(int kind) {
  long setting[4];
  setting[0] = setting[2] = 0;
  setting[1] = setting[3] = kind == NEAR ? NEAR_NS : kind == FAR ? FAR_NS : VAIN_NS;
  is_ticking[kind] = CALL(timer_settime, timers[kind], 0, setting, 0, 0, 0) == 0;
}

static u64 now(void) {
  long time[2];
  CALL(clock_gettime, 1, time, 0, 0, 0, 0);
  return (u64)time[0] * 1000 + time[1] / 1000000;
}

static long option_of(long socket, int name) {
  int value = 0, bytes = sizeof value;
  long failure = CALL(getsockopt, socket, SOL_SOCKET, name, &value, &bytes, 0);
  return failure < 0 ? failure : value;
}

/*
 * Never blocks for long: -EINTR where it would. From one near connect to the next its signal stays unblocked, until it has come or another
 * call is handled (receive()).
 */
static long connect_bounded(long socket, void *to, long bytes, int kind) {
  static int doubted[KINDS], in_vain[KINDS];
  for (; kind > VAIN && doubted[kind] > 0; kind--) doubted[kind]--;
  if (!is_ticking[kind]) begin_ticking(kind);
  if (kind != NEAR || !may_be_interrupted) {
    set_mask(&waiting_masks[kind]);
    was_interrupted = 0;
  }
  may_be_interrupted = 1;
  long result = CALL(connect, socket, to, bytes, 0, 0, 0);
  if (kind != NEAR) block_interrupts();
  in_vain[kind] = result == -EINTR ? in_vain[kind] + 1 : 0;
  if (in_vain[kind] >= (kind == FAR ? FAR_IN_VAIN : 1)) doubted[kind] = DOUBTED;
  return result;
}

static u64 deadline_of(long socket) {
  long limit[2];
  int bytes = sizeof limit;
  if (CALL(getsockopt, socket, SOL_SOCKET, SO_SNDTIMEO, limit, &bytes, 0) < 0 || (limit[0] == 0 && limit[1] == 0)) return 0;
  return now() + limit[0] * 1000 + limit[1] / 1000;
}

static u64 device_of(struct facts *facts) { return (u64)facts->dev_major << 32 | facts->dev_minor; }

/* Whether a connect to the same socket waits: this one has to wait then, too. */
static int is_awaited(long file) {
  static struct facts facts;
  if (pending_count == 0 || look_at(file, &facts) < 0) return 0;
  for (int at = 0; at < pending_count; at++)
    if (pending[at].file >= 0 && pending[at].inode == facts.ino && pending[at].device == device_of(&facts)) return 1;
  return 0;
}

/* Its descriptors are its own from here on. */
static long defer(long socket, long file, void *to, long bytes) {
  if (pending_count == PENDING_MAXIMUM) return -EAGAIN;
  static struct facts facts;
  struct pending *entry = &pending[pending_count++];
  clear(&facts, sizeof facts);
  if (file >= 0) look_at(file, &facts);
  entry->inode = facts.ino;
  entry->device = device_of(&facts);
  entry->id = request.id;
  entry->socket = socket;
  entry->file = file;
  entry->send.number = 0;
  entry->is_polled = file < 0;
  entry->address_bytes = bytes;
  entry->deadline = deadline_of(socket);
  copy(entry->address, to, bytes);
  release(socket);
  release(file);
  return DEFERRED;
}

static struct pending *retried;

/* @returns DEFERRED; the second time -EAGAIN, for go_on(). */
static long defer_send(long socket) {
  if (retried) return -EAGAIN;
  if (defer(socket, -1, 0, 0) == -EAGAIN) return -EAGAIN;
  struct pending *entry = &pending[pending_count - 1];
  copy(&entry->send, &request, sizeof request);
  entry->is_polled = option_of(socket, SO_DOMAIN) != AF_UNIX || option_of(socket, SO_TYPE) != SOCK_DGRAM;
  return DEFERRED;
}

static int is_blocking(long socket) { return !(CALL(fcntl, socket, F_GETFL, 0, 0, 0, 0) & O_NONBLOCK); }
