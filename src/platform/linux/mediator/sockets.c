/*
 * connect(2), and what else makes a socket reach another program. The caller's socket is taken and connected here,
 * to the address that was copied: what the caller's number or memory mean a moment later does not matter.
 */
/* The address that means any is the loopback device's where something connects to it. */
static int is_loopback(void) {
  static const u8 mapped[12] = {0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff};
  u8 *at = address + 8;
  if (*(u16 *)address == AF_INET) return address[4] == 127 || *(u32 *)(address + 4) == 0;
  if (are_equal((char *)at, (char *)mapped, 12)) return at[12] == 127;
  for (int byte = 0; byte < 15; byte++) if (at[byte] != 0) return 0;
  return at[15] <= 1;
}

/* LOOPBACK_IFINDEX of include/net/flow.h: the same in each network namespace. */
enum { LOOPBACK_INDEX = 1 };

static int is_on_loopback(long socket) { return option_of(socket, SO_BINDTOIFINDEX) == LOOPBACK_INDEX; }

/* To bind a socket a second time takes CAP_NET_RAW, to the same device too. */
static int put_on_loopback(long socket) {
  int index = LOOPBACK_INDEX;
  return is_on_loopback(socket) || CALL(setsockopt, socket, SOL_SOCKET, SO_BINDTOIFINDEX, &index, sizeof index, 0) == 0;
}

/* It listens no more, either. */
static void disconnect(long socket) {
  u16 nobody[8];
  clear(nobody, sizeof nobody);
  CALL(connect, socket, nobody, sizeof nobody, 0, 0, 0);
}

/*
 * bind(2) to an address of one link takes the socket to that link's device without any capability (__inet6_bind() of net/ipv6/af_inet6.c), until the socket
 * has a port: another thread of the caller's may do that at any moment. This looks once that can be no more. @returns `result`, or that it was refused.
 */
static long only_on_loopback(long socket, long result) {
  if (configuration->network != NETWORK_LOOPBACK || is_on_loopback(socket)) return result;
  disconnect(socket);
  return -EACCES;
}

/* The port that listen(2) would choose, while the device is not chosen yet: no address is bound after that. */
static long choose_port(long socket) {
  clear(address, sizeof address);
  *(u16 *)address = AF_INET6;
  long result = CALL(bind, socket, address, INET6_ADDRESS_BYTES, 0, 0, 0);
  /* -EINVAL: it has one. */
  return result == -EINVAL ? 0 : result;
}

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
   * With a source route in its options (IP_OPTIONS) a packet for this machine is sent to another one first. A socket of the loopback device sends
   * nothing elsewhere. The filter refuses those of IPv6, which could leave before only_on_loopback() looks.
   */
  if (configuration->network == NETWORK_LOOPBACK && !put_on_loopback(socket)) return -EACCES;
  long result = only_on_loopback(socket, connect_bounded(socket, address, address_bytes, is_loopback() ? NEAR : FAR));
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

/*
 * Whether the socket is of the same type as the one that listens the kernel looks itself (unix_find_other() of net/unix/af_unix.c). One of datagrams that
 * somebody handed over where none can be made gets no further by that than by its sends.
 */
static long connect_local(long socket) {
  long outside = -1;
  if (*(u16 *)address == AF_UNSPEC) {
    if (!configuration->datagrams || option_of(socket, SO_TYPE) != SOCK_DGRAM) return -EINVAL;
    return is_waiting(request.id) ? CALL(connect, socket, address, address_bytes, 0, 0, 0) : -EPERM;
  }
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
  if (is_question()) {
    note_inner();
    return -ENOTUNIQ;
  }
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

/* Whatever address it has, only what comes by the loopback device reaches it. */
static long listen_on_loopback(long socket, long domain) {
  long failure = domain == AF_INET6 ? choose_port(socket) : 0;
  if (failure < 0) return failure;
  if (!put_on_loopback(socket)) return -EACCES;
  return only_on_loopback(socket, CALL(listen, socket, request.arguments[1], 0, 0, 0, 0));
}

/* @returns the bytes of the address in `address`. */
static long own_address(long socket) {
  int bytes = address_bytes = ADDRESS_BYTES;
  clear(address, sizeof address);
  long failure = CALL(getsockname, socket, address, &bytes, 0, 0, 0);
  return failure < 0 ? failure : bytes;
}

/*
 * Of a socket whose connect has come to nothing the kernel tells the port that it had, and listen(2) would choose another one, which no rule was
 * asked for: it gets that port again. Another thread that lets go of it meanwhile gets nothing by that.
 */
static long listen_on_named_port(long socket) {
  long bytes = own_address(socket);
  if (bytes < 0) return bytes;
  if (!is_port_named(PORT_BIND)) {
    note_port(REFUSED_LISTEN, port_of_address());
    return -EACCES;
  }
  if (!is_waiting(request.id)) return -EPERM;
  long result = CALL(bind, socket, address, bytes, 0, 0, 0);
  /* -EINVAL: it has one. */
  if (result < 0 && result != -EINVAL) return result;
  result = CALL(listen, socket, request.arguments[1], 0, 0, 0, 0);
  if (result < 0 || (own_address(socket) > 0 && is_port_named(PORT_BIND))) return result;
  disconnect(socket);
  return -EACCES;
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
    if (configuration->network == NETWORK_PORTS) return listen_on_named_port(socket);
    if (!is_waiting(request.id)) return -EPERM;
    if (configuration->network == NETWORK_BLOCKED) return -EACCES;
    if (configuration->network == NETWORK_LOOPBACK) return listen_on_loopback(socket, domain);
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
