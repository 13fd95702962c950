/*
 * Sends, where sockets were granted by name and local datagram sockets exist therefore: each send may carry an address. The
 * message is copied and sent here, on the caller's own socket. One that would have to wait is begun anew, from the caller's
 * memory, when there may be room; nothing of the first look is used then.
 */
enum { SOL_SOCKET_RIGHTS = 1, SOL_SOCKET_CREDENTIALS = 2, MSG_DONTWAIT = 0x40, MSG_NOSIGNAL = 0x4000 };
enum { DATA_BYTES = 262144, CONTROL_BYTES = 4096, PIECES_MAXIMUM = 1024, MESSAGES_MAXIMUM = 64, CONTROL_HEADER_BYTES = 16, WORD_BYTES = 8 };
/* SCM_MAX_FD of include/net/scm.h; and a send whose data are read later, when they are another's here: who wants it goes on without. */
enum { RIGHTS_MAXIMUM = 253, MSG_ZEROCOPY = 0x4000000 };

/* struct user_msghdr of include/linux/socket.h, and struct mmsghdr */
struct message {
  u64 name;
  u32 name_bytes, padding;
  u64 pieces, piece_count, control, control_bytes;
  u32 flags, more_padding;
};
struct counted_message {
  struct message message;
  u32 sent, padding;
};
struct control { u64 bytes; int level, kind; };

static u8 data[DATA_BYTES];
static u64 control[CONTROL_BYTES / WORD_BYTES];
static u64 new_control[CONTROL_BYTES / WORD_BYTES];
static struct vector pieces[PIECES_MAXIMUM];

/* Of a stream as much as there is room for here; all of a datagram. @returns the bytes. */
static long copy_data(u64 vectors, u64 count, int is_stream) {
  u64 bytes = 0;
  if (count > PIECES_MAXIMUM) return -EMSGSIZE;
  long failure = count == 0 ? 0 : read_memory(vectors, pieces, count * sizeof(struct vector));
  if (failure < 0) return failure;
  for (u64 at = 0; at < count; at++) {
    u64 piece = pieces[at].bytes;
    if (piece > DATA_BYTES - bytes) {
      if (!is_stream) return -EMSGSIZE;
      piece = DATA_BYTES - bytes;
    }
    failure = piece == 0 ? 0 : read_memory(pieces[at].address, data + bytes, piece);
    if (failure < 0) return failure;
    bytes += piece;
  }
  return bytes;
}

/* Numbers of descriptors become copies of what they mean; whose process it is the kernel says by itself. */
static long copy_control(struct message *given, struct message *own) {
  u8 *from = (u8 *)control, *to = (u8 *)new_control;
  long bytes = given->control_bytes, at = 0, end = 0, rights = 0;
  own->control = own->control_bytes = 0;
  if (given->control_bytes > CONTROL_BYTES) return -ENOBUFS;
  long failure = bytes == 0 ? 0 : read_memory(given->control, control, bytes);
  if (failure < 0) return failure;
  while (bytes - at >= CONTROL_HEADER_BYTES) {
    struct control *header = (struct control *)(from + at);
    long whole = (header->bytes + WORD_BYTES - 1) & -WORD_BYTES;
    if (header->bytes < CONTROL_HEADER_BYTES || header->bytes > (u64)(bytes - at)) return -EINVAL;
    if (header->level != SOL_SOCKET || header->kind != SOL_SOCKET_CREDENTIALS) {
      copy(to + end, from + at, header->bytes);
      int *numbers = (int *)(to + end + CONTROL_HEADER_BYTES);
      long count = header->level == SOL_SOCKET && header->kind == SOL_SOCKET_RIGHTS ? (header->bytes - CONTROL_HEADER_BYTES) / 4 : 0;
      if ((rights += count) > RIGHTS_MAXIMUM) return -EINVAL;
      for (long number = 0; number < count; number++) {
        long taken = take(numbers[number]);
        if (taken < 0) return taken;
        numbers[number] = taken;
      }
      end += whole;
    }
    at += whole;
  }
  own->control = (u64)new_control;
  own->control_bytes = end;
  return 0;
}

/* Where a message may go. A local address becomes the path of a descriptor; streams have no use for one. */
static long check_name(long socket, long domain, struct message *own) {
  static u8 fixed[ADDRESS_BYTES];
  long type = option_of(socket, SO_TYPE);
  own->name = 0;
  own->name_bytes = 0;
  if (address_bytes == 0) return 0;
  if (domain == AF_INET || domain == AF_INET6) {
    long failure = type == SOCK_STREAM ? 0 : check_network(socket, PORT_CONNECT);
    if (failure < 0) return failure;
  }
  if (domain == AF_UNIX) {
    if (type == SOCK_STREAM) return -EISCONN;
    if (type != SOCK_DGRAM) return 0;
    long outside = -1;
    long file = socket_file(&outside);
    if (file == -EACCES && outside >= 0) note_connect(outside);
    if (file < 0) return file;
    own->name_bytes = fix_address(fixed, file);
    own->name = (u64)fixed;
    return 0;
  }
  own->name = (u64)address;
  own->name_bytes = address_bytes;
  return 0;
}

/* One message. -EAGAIN also where the caller would wait. */
static long send_copied(long socket, struct message *given, long flags) {
  struct message own;
  struct vector whole;
  long domain = option_of(socket, SO_DOMAIN);
  if (domain < 0) return domain;
  if (flags & MSG_ZEROCOPY) return -ENOBUFS;
  clear(&own, sizeof own);
  long failure = copy_address(given->name, given->name == 0 ? 0 : given->name_bytes);
  if (failure < 0) return failure;
  failure = check_name(socket, domain, &own);
  if (failure < 0) return failure;
  failure = copy_control(given, &own);
  if (failure < 0) return failure;
  long bytes = copy_data(given->pieces, given->piece_count, option_of(socket, SO_TYPE) == SOCK_STREAM);
  if (bytes < 0) return bytes;
  whole.address = (u64)data;
  whole.bytes = bytes;
  own.pieces = (u64)&whole;
  own.piece_count = 1;
  if (!may_act()) return -EPERM;
  return CALL(sendmsg, socket, &own, flags | MSG_DONTWAIT | MSG_NOSIGNAL, 0, 0, 0);
}

static int would_wait(long socket, long flags, long result) { return result == -EAGAIN && !(flags & MSG_DONTWAIT) && is_blocking(socket); }

static long send_to(void) {
  static struct message given;
  u64 *a = request.arguments;
  struct vector piece;
  long socket = take(a[0]);
  if (socket < 0) return socket;
  clear(&given, sizeof given);
  long domain = option_of(socket, SO_DOMAIN);
  if (domain < 0) return domain;
  if (a[3] & MSG_ZEROCOPY) return -ENOBUFS;
  /* The one piece is in registers: put where copy_data() finds what it has copied. */
  int is_stream = option_of(socket, SO_TYPE) == SOCK_STREAM;
  long bytes = a[2];
  if (a[2] > DATA_BYTES) {
    if (!is_stream) return -EMSGSIZE;
    bytes = DATA_BYTES;
  }
  long failure = copy_address(a[4], a[5]);
  if (failure < 0) return failure;
  failure = check_name(socket, domain, &given);
  if (failure >= 0 && bytes > 0) failure = read_memory(a[1], data, bytes);
  if (failure < 0) return failure;
  piece.address = (u64)data;
  piece.bytes = bytes;
  given.pieces = (u64)&piece;
  given.piece_count = 1;
  if (!may_act()) return -EPERM;
  long result = CALL(sendmsg, socket, &given, a[3] | MSG_DONTWAIT | MSG_NOSIGNAL, 0, 0, 0);
  return would_wait(socket, a[3], result) ? defer_send(socket) : result;
}

static long send_message(void) {
  static struct message given;
  u64 *a = request.arguments;
  long socket = take(a[0]);
  if (socket < 0) return socket;
  long failure = read_memory(a[1], &given, sizeof given);
  if (failure < 0) return failure;
  long result = send_copied(socket, &given, a[2]);
  return would_wait(socket, a[2], result) ? defer_send(socket) : result;
}

/* As many as can be sent at once: the caller asks again for the rest. */
static long send_messages(void) {
  static struct counted_message given;
  u64 *a = request.arguments;
  u64 count = (u32)a[2] < MESSAGES_MAXIMUM ? (u32)a[2] : MESSAGES_MAXIMUM;
  long socket = take(a[0]);
  if (socket < 0) return socket;
  long memory = open_memory();
  if (memory < 0) return memory;
  for (u64 at = 0; at < count; at++) {
    u64 from = a[1] + at * sizeof given;
    int before = opened_count;
    long result = read_memory(from, &given, sizeof given);
    if (result == 0) result = send_copied(socket, &given.message, a[3]);
    while (opened_count > before) close_descriptor(opened[--opened_count]);
    if (result < 0 && at > 0) return at;
    if (would_wait(socket, a[3], result)) return defer_send(socket);
    if (result < 0) return result;
    given.sent = result;
    CALL(pwrite64, memory, &given.sent, sizeof given.sent, from + sizeof given.message, 0, 0);
  }
  return count;
}
