/* Requests one after the other, and what had to wait. */

/* By the flags that programs open their terminals with, and a path that only those have; else what somebody may be asked about. */
static long open_anything(void) {
  u64 *a = request.arguments;
  long result = CONTINUED;
#ifdef CALL_open
  if (request.number == CALL_open && (a[1] & O_ACCMODE) == O_RDWR) result = open_made_terminal(a[0], a[1]);
#endif
  if (request.number == CALL_openat && (a[2] & O_ACCMODE) == O_RDWR) result = open_made_terminal(a[1], a[2]);
  return result == CONTINUED && configuration->asking ? open_file() : result;
}

static long handle(void) {
  switch (request.number) {
    case CALL_connect: return connect_socket();
    case CALL_listen: return start_listening();
    case CALL_socketpair: return make_pair();
    case CALL_ioctl: return command_terminal();
#ifdef CALL_open
    case CALL_open:
    case CALL_creat:
#endif
    case CALL_openat:
    case CALL_openat2: return open_anything();
    case CALL_sendto: return send_to();
    case CALL_sendmsg: return send_message();
    case CALL_sendmmsg: return send_messages();
    case CALL_kill:
    case CALL_tkill:
    case CALL_tgkill:
    case CALL_rt_sigqueueinfo:
    case CALL_rt_tgsigqueueinfo:
    case CALL_pidfd_send_signal:
    case CALL_fcntl: return send_signal();
    default: return change_metadata();
  }
}

static void send_answer(u64 id, long result) {
  struct answer answer;
  answer.id = id;
  answer.value = result < 0 || result == CONTINUED ? 0 : result;
  answer.error = result < 0 ? (result > -512 ? result : -EPERM) : 0;
  answer.flags = result == CONTINUED ? GOES_ON : 0;
  while (CALL(ioctl, listener, NOTIF_SEND, &answer, 0, 0, 0) == -EINTR) continue;
}

static void drop_pending(int at) {
  close_descriptor(pending[at].socket);
  close_descriptor(pending[at].file);
  long last = --pending_count;
  if (at != last) copy(&pending[at], &pending[last], sizeof pending[0]);
}

/* A send that had to wait, once more. */
static long send_again(struct pending *entry) {
  copy(&request, &entry->send, sizeof request);
  retried = entry;
  long result = handle();
  retried = 0;
  close_opened();
  return result;
}

/* In this round, those that had to wait once more. */
enum { WAITS_IN_ROUND = 2 };
static struct { u64 inode, device; } still_full[WAITS_IN_ROUND];
static int full_count;

/* Each try that is in vain takes as long as a bounded connect: one for each socket, and for few of them in one round. */
static int is_worth_trying(struct pending *entry) {
  if (entry->file < 0 || full_count == 0) return 1;
  if (full_count == WAITS_IN_ROUND) return 0;
  for (int at = 0; at < full_count; at++) if (still_full[at].inode == entry->inode && still_full[at].device == entry->device) return 0;
  return 1;
}

static long try_again(struct pending *entry) {
  long result = connect_bounded(entry->socket, entry->address, entry->address_bytes, VAIN);
  if (entry->file < 0) return only_on_loopback(entry->socket, result);
  if (result != -EINTR || full_count == WAITS_IN_ROUND) return result;
  still_full[full_count].inode = entry->inode;
  still_full[full_count++].device = entry->device;
  return result;
}

/* `events` of its socket, from ppoll(2). */
static void go_on(int at, int events) {
  struct pending *entry = &pending[at];
  int is_send = entry->send.number != 0;
  long result = -EINTR;
  if (!is_waiting(entry->id)) {
    drop_pending(at);
    return;
  }
  if (is_send) result = send_again(entry);
  else if ((events || entry->file >= 0) && is_worth_trying(entry)) result = try_again(entry);
  int goes_on = result == -EINTR || (is_blocking(entry->socket) && (result == -EAGAIN || result == -EALREADY || result == -EINPROGRESS));
  if (goes_on && entry->deadline != 0 && now() >= entry->deadline) {
    result = entry->file >= 0 || is_send ? -EAGAIN : -EINPROGRESS;
    goes_on = 0;
  }
  if (goes_on) return;
  send_answer(entry->id, result);
  drop_pending(at);
}

/* @returns 0 when there was none after all. */
static int receive(void) {
  if (was_interrupted) block_interrupts();
  clear(&request, sizeof request);
  if (CALL(ioctl, listener, NOTIF_RECV, &request, 0, 0, 0) < 0) return 0;
  if (request.number != CALL_connect) block_interrupts();
  long result = handle();
  close_opened();
  if (result != DEFERRED) send_answer(request.id, result);
  return 1;
}

/* What the caller of mediator_prepare() gives. */
static struct {
  long restorer;
  long listener;
  /* Whether this becomes a process of its own, and what of its memory it gives up: pairs of first address and end, then one address and 0. */
  long is_process;
  /* Where questions go and where answers come from; -1 where nobody is asked. */
  long tells, listens;
  /* Whether the kernel ends NOTIF_RECV when the last caller is gone (6.11). */
  long wait_ends;
  long unmapped[16];
  /* The low 32 bits of the capabilities that the command has at most. */
  long capabilities;
  /* For a process of its own: clone(2) onto a stack (assembly.ts), the stack, a pipe in which a byte says that there is a listener, and the starter's pidfd. */
  long (*clone_onto)(long flags, long stack);
  long stack;
  long ready;
  long starter;
} given;

/* With something pending it looks whether the callers still live, and tries local sockets again. */
enum { LOOK_AGAIN_MS = 10, LOOK_FOR_GONE_MS = 100, ROUND_MS = 2 };

/* As many as there is time for, beginning with another one each time. */
static void look_again(void) {
  static int turn;
  u64 end = now() + ROUND_MS;
  full_count = 0;
  for (int left = pending_count; left > 0 && pending_count > 0 && now() < end; left--) {
    turn = (turn + 1) % pending_count;
    go_on(turn, 0);
  }
}

static void serve(void) {
  static struct { int descriptor; short events, happened; } polled[PENDING_MAXIMUM + 2];
  long wait[2];
  u64 next_look = 0, next_look_for_gone = 0;
  for (;;) {
    /* Without a look whether anybody is left who could ask: where the kernel ends the wait when nobody is. */
    while (given.wait_ends && pending_count == 0 && asked_count == 0 && receive()) continue;
    /* What follows is more than connects. */
    block_interrupts();
    /* Before the wait: what was answered while a signal kept its caller away is carried out for the request that repeats it, which the next signal ends. */
    if (asked_count > 0) {
      obey();
      if (now() >= next_look_for_gone) {
        next_look_for_gone = now() + LOOK_FOR_GONE_MS;
        look_for_gone();
      }
    }
    tell_asked();
    int count = pending_count;
    wait[0] = 0;
    wait[1] = (count > 0 || has_untold() ? LOOK_AGAIN_MS : LOOK_FOR_GONE_MS) * 1000000;
    polled[0].descriptor = listener;
    polled[0].events = POLLIN;
    polled[1].descriptor = configuration->asking ? LISTENS : -1;
    polled[1].events = POLLIN;
    for (int at = 0; at < count; at++) {
      polled[at + 2].descriptor = pending[at].is_polled ? pending[at].socket : -1;
      polled[at + 2].events = POLLOUT;
    }
    /* What ended the wait is over soon: another caller that died is no reason to leave. */
    if (CALL(ppoll, polled, count + 2, count || asked_count || given.wait_ends ? wait : 0, 0, 0, 0) < 0) continue;
    /* From the last: what is dropped is replaced by the last. */
    for (int at = count - 1; at >= 0; at--) if (polled[at + 2].happened) go_on(at, polled[at + 2].happened);
    if (pending_count > 0 && now() >= next_look) {
      look_again();
      next_look = now() + LOOK_AGAIN_MS;
    }
    if (polled[0].happened & POLLIN) receive();
    /* Nobody is left who could ask. */
    else if (polled[0].happened) return;
  }
}
