/* From the terminal. */

/* So often it is asked again before anything else is done. */
enum { READS = 64 };
/* So little is an echo, behind which nothing comes; to find that out, the kernel waits for who has just brought it (tty_buffer_flush_work()). */
enum { ECHO_BYTES = 64 };
/* So often in a row an answer is looked out for in vain before it is only done now and then. */
enum { VAIN_MAXIMUM = 8, VAIN_STRIDE = 16 };

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

static void read_terminal(struct relay *r) {
  long before = r->up_head;
  /* From before it is read: who is stopped behind that has a time that is over. */
  long read_at = r->is_direct == 1 && !r->is_session && r->typed_at ? now(r) : 0;
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
    if (!r->is_session || length <= ECHO_BYTES) break;
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
  if (r->is_direct == 1) write_direct(r, read_at);
  int is_by_connection = r->sent < r->mine;
  pass_up(r);
  settle_up(r);
  /* What was not needed for the key is not needed for its echo, and that processor is missed elsewhere. */
  if (is_by_connection) look_out(r);
}

