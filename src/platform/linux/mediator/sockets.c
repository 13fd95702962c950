/*
 * connect(2), and what else makes a socket reach another program. The caller's socket is taken and connected here,
 * to the address that was copied: what the caller's number or memory mean a moment later does not matter.
 */
enum { SOL_SOCKET = 1, SO_TYPE = 3, SO_SNDTIMEO = 21, SO_BINDTODEVICE = 25, SO_PROTOCOL = 38, SO_DOMAIN = 39 };
enum { AF_UNSPEC = 0, AF_UNIX = 1, AF_INET = 2, AF_INET6 = 10, AF_NETLINK = 16 };
enum { SOCK_STREAM = 1, SOCK_DGRAM = 2, SOCK_SEQPACKET = 5, SOCK_TYPE_MASK = 0xf, IPPROTO_TCP = 6 };
enum { ADDRESS_BYTES = 128, UNIX_PATH_AT = 2, PENDING_MAXIMUM = 256, POLLIN = 1, POLLOUT = 4, POLLHUP = 16 };

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

/* The address that means any is the loopback device's where something connects to it. */
static int is_loopback(void) {
  static const u8 mapped[12] = {0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff};
  u8 *at = address + 8;
  if (*(u16 *)address == AF_INET) return address[4] == 127 || *(u32 *)(address + 4) == 0;
  if (are_equal((char *)at, (char *)mapped, 12)) return at[12] == 127;
  for (int byte = 0; byte < 15; byte++) if (at[byte] != 0) return 0;
  return at[15] <= 1;
}

static long bind_to_loopback(long socket) { return CALL(setsockopt, socket, SOL_SOCKET, SO_BINDTODEVICE, "lo", 3, 0); }

static long port_of_address(void) { return address[2] << 8 | address[3]; }

static int is_port_named(long use) {
  long port = port_of_address();
  long *ports = (long *)&configuration->grant[configuration->grants];
  for (long at = 0; at < configuration->ports; at++) if (ports[at] == (port | use)) return 1;
  return 0;
}

/* The network of the plan: what the filter and Landlock hold the caller to does not hold the mediator. */
static long check_network(long socket, long use) {
  if (configuration->network == NETWORK_ALLOWED) return 0;
  if (configuration->network == NETWORK_BLOCKED) return -EACCES;
  if (option_of(socket, SO_TYPE) != SOCK_STREAM || option_of(socket, SO_PROTOCOL) != IPPROTO_TCP) return -EACCES;
  u16 family = *(u16 *)address;
  if (family == AF_UNSPEC && use == PORT_CONNECT) return 0;
  if (family != AF_INET && family != AF_INET6) return -EACCES;
  if (address_bytes < (family == AF_INET ? 8 : 24)) return -EINVAL;
  if (configuration->network == NETWORK_LOOPBACK) return is_loopback() ? 0 : -EACCES;
  if (is_port_named(use)) return 0;
  note_port(REFUSED_PORT, port_of_address());
  return -EACCES;
}

static long connect_inet(long socket) {
  long failure = check_network(socket, PORT_CONNECT);
  if (failure < 0) return failure;
  if (!is_waiting(request.id)) return -EPERM;
  /*
   * With a source route in its options (IP_OPTIONS, IPV6_RTHDR) a packet for this machine is sent to another one first. A
   * socket of the loopback device sends nothing elsewhere, and to undo that takes CAP_NET_RAW.
   */
  if (configuration->network == NETWORK_LOOPBACK && bind_to_loopback(socket) < 0) return -EACCES;
  long result = connect_bounded(socket, address, address_bytes, is_loopback() ? NEAR : FAR);
  /* -EALREADY: a signal interrupted the caller's first try (before Linux 5.19), and this is the same once more. */
  if (result != -EINTR && !((result == -EINPROGRESS || result == -EAGAIN || result == -EALREADY) && is_blocking(socket))) return result;
  return defer(socket, -1, address, address_bytes);
}

/* What a local address means, as a descriptor of it that is granted. */
static long socket_file(long *outside) {
  static struct facts facts;
  if (*(u16 *)address != AF_UNIX || address_bytes <= UNIX_PATH_AT) return -EINVAL;
  /* An abstract name belongs to nobody: whose it is could only be found out when it is too late. */
  if (address[UNIX_PATH_AT] == 0) return -EPERM;
  address[address_bytes] = 0;
  long file = opened_beneath(AT_FDCWD, (char *)address + UNIX_PATH_AT, 1);
  if (file >= 0) return file;
  /* What fails below is told apart: no signal may be the reason. */
  block_interrupts();
  file = resolve(AT_FDCWD, (char *)address + UNIX_PATH_AT, 1);
  if (file < 0) return file;
  long failure = look_at(file, &facts);
  if (failure < 0) return failure;
  if ((facts.mode & S_IFMT) != S_IFSOCK) return -ECONNREFUSED;
  *outside = file;
  file = granted(file, 1);
  return file < 0 ? -EACCES : file;
}

/* The address becomes the path of a descriptor: what it means cannot change any more. @returns its bytes. */
static long fix_address(u8 *fixed, long file) {
  clear(fixed, ADDRESS_BYTES);
  *(u16 *)fixed = AF_UNIX;
  name_descriptor((char *)fixed + UNIX_PATH_AT, file);
  return UNIX_PATH_AT + length_of((char *)fixed + UNIX_PATH_AT) + 1;
}

static long connect_held(long socket, long file) {
  static u8 fixed[ADDRESS_BYTES];
  long bytes = fix_address(fixed, file);
  if (is_awaited(file) && is_blocking(socket)) return defer(socket, file, fixed, bytes);
  long result = connect_bounded(socket, fixed, bytes, NEAR);
  if (result != -EINTR && !(result == -EAGAIN && is_blocking(socket))) return result;
  return defer(socket, file, fixed, bytes);
}

static long ask_to_connect(long socket, long file);

static long connect_local(long socket) {
  long outside = -1;
  long type = option_of(socket, SO_TYPE);
  if (type < 0) return type;
  if (type == SOCK_DGRAM && configuration->datagrams) {
    if (*(u16 *)address == AF_UNSPEC) return is_waiting(request.id) ? CALL(connect, socket, address, address_bytes, 0, 0, 0) : -EPERM;
  } else if (type != SOCK_STREAM && type != SOCK_SEQPACKET) return -EACCES;
  long file = socket_file(&outside);
  if (file == -EACCES && outside >= 0) return ask_to_connect(socket, outside);
  if (file < 0) return file;
  if (!may_act()) return -EPERM;
  return connect_held(socket, file);
}

static long copy_address(u64 from, u64 bytes) {
  if ((u32)bytes > ADDRESS_BYTES) return -EINVAL;
  address_bytes = (u32)bytes;
  clear(address, sizeof address);
  return address_bytes == 0 ? 0 : read_memory(from, address, address_bytes);
}

/* How another nono finds out that this one is around it: an answer that no kernel gives. */
static int is_question(void) {
  static const char text[] = "nono: is there a mediator?";
  return address_bytes == UNIX_PATH_AT + sizeof text && are_equal((char *)address + UNIX_PATH_AT, text, sizeof text);
}

static long connect_socket(void) {
  u64 *a = request.arguments;
  long failure = copy_address(a[1], a[2]);
  if (failure < 0) return failure;
  if (is_question()) return -ENOTUNIQ;
  long socket = take(a[0]);
  if (socket < 0) return socket;
  /* With an address of one of these families no socket of another connects: each looks at it first. */
  u16 family = address_bytes < 2 ? AF_UNSPEC : *(u16 *)address;
  if (family == AF_UNIX) return connect_local(socket);
  if (family == AF_INET || family == AF_INET6) return connect_inet(socket);
  long domain = option_of(socket, SO_DOMAIN);
  if (domain < 0) return domain;
  if (address_bytes < 2) return -EINVAL;
  if (domain == AF_UNIX) return connect_local(socket);
  if (domain == AF_INET || domain == AF_INET6) return connect_inet(socket);
  if (domain != AF_NETLINK || !is_waiting(request.id)) return -EACCES;
  return CALL(connect, socket, address, address_bytes, 0, 0, 0);
}

/* A socket that listens without an address, or on all of them: in what way the network of the plan has it. */
static long start_listening(void) {
  long socket = take(request.arguments[0]);
  if (socket < 0) return socket;
  long domain = option_of(socket, SO_DOMAIN);
  if (domain < 0) return domain;
  /* What a socket can become (TCP_ULP makes one of AF_SMC), and what Landlock knows no ports of. */
  if (domain != AF_UNIX && option_of(socket, SO_PROTOCOL) != IPPROTO_TCP) return -EACCES;
  if (domain == AF_INET || domain == AF_INET6) {
    int bytes = address_bytes = ADDRESS_BYTES;
    clear(address, sizeof address);
    long failure = CALL(getsockname, socket, address, &bytes, 0, 0, 0);
    if (failure < 0) return failure;
    /* The kernel would choose a port that no rule was asked for. */
    if (configuration->network == NETWORK_PORTS && !is_port_named(PORT_BIND)) {
      note_port(REFUSED_LISTEN, port_of_address());
      return -EACCES;
    }
    if (!is_waiting(request.id)) return -EPERM;
    /* Whatever address it has, only what comes by the loopback device reaches it; to undo that takes CAP_NET_RAW. */
    if (configuration->network == NETWORK_LOOPBACK) failure = bind_to_loopback(socket);
    if (failure < 0 || configuration->network == NETWORK_BLOCKED) return -EACCES;
  }
  if (!is_waiting(request.id)) return -EPERM;
  return CALL(listen, socket, request.arguments[1], 0, 0, 0, 0);
}

static long add_descriptor(long descriptor, long flags, int is_last) {
  struct added_descriptor added;
  added.id = request.id;
  added.flags = is_last ? ADDFD_SEND : 0;
  added.source = descriptor;
  added.target = 0;
  added.target_flags = flags;
  return CALL(ioctl, listener, NOTIF_ADDFD, &added, 0, 0, 0);
}

/*
 * A pair of datagram sockets could send to any other by name. A pair that keeps the bounds of messages and takes no
 * names does for it.
 */
static long make_pair(void) {
  int pair[2], given[2];
  long type = request.arguments[1];
  long memory = open_memory();
  if (memory < 0) return memory;
  long failure = CALL(socketpair, AF_UNIX, SOCK_SEQPACKET | (type & ~SOCK_TYPE_MASK), request.arguments[2], pair, 0, 0);
  if (failure < 0) return failure;
  keep(pair[0]);
  keep(pair[1]);
  if (!is_waiting(request.id)) return -EPERM;
  for (int at = 0; at < 2; at++) {
    given[at] = add_descriptor(pair[at], type & O_CLOEXEC, 0);
    if (given[at] < 0) return given[at];
  }
  return CALL(pwrite64, memory, given, sizeof given, request.arguments[3], 0, 0) == sizeof given ? 0 : -EFAULT;
}
