/* To the terminal. */

/* include/uapi/asm-generic/socket.h, linux/socket.h */
enum { SOL_SOCKET = 1, SCM_RIGHTS = 1, MSG_CMSG_CLOEXEC = 0x40000000 };

/* struct msghdr and cmsghdr of socket(7), cmsg(3). */
struct message { void *name; long name_length; struct vector *vectors; long vector_count; void *control; u64 control_length; long flags; };
struct control { u64 length; int level, type; int descriptors[CAME_MAXIMUM]; };

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

