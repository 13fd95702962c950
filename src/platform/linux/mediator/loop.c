/* Requests one after the other, and the life of the mediator. */

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
  if (result != -EINTR || entry->file < 0 || full_count == WAITS_IN_ROUND) return result;
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
  /* For a process of its own: clone(2) onto a stack (machine-code.ts), the stack, a pipe in which a byte says that there is a listener, and the starter's pidfd. */
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
    int count = pending_count;
    /* What follows is more than connects. */
    block_interrupts();
    tell_asked();
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
    if (asked_count > 0) {
      obey();
      if (now() >= next_look_for_gone) {
        next_look_for_gone = now() + LOOK_FOR_GONE_MS;
        look_for_gone();
      }
    }
    if (polled[0].happened & POLLIN) receive();
    /* Nobody is left who could ask. */
    else if (polled[0].happened) return;
  }
}

enum { CLONE_VM = 0x100, CLONE_FILES = 0x400 };
/* Above what the streams and the first descriptors of a process are. */
enum { F_DUPFD = 0, OUT_OF_THE_WAY = 16 };

static void interrupted(int signal) { (void)signal; was_interrupted = 1; }

enum { SIGCHLD = 17, INTERRUPT = 63, SIGEV_THREAD_ID = 4, SA_RESTORER = 0x04000000, CLOCK_MONOTONIC = 1 };

/* The timer of one kind of connects, and its signal: INTERRUPT, and those before it. */
static int prepare_interrupts(int kind) {
  struct { long handler, flags, restorer; u64 mask; } action;
  struct { long value; int signal, kind, tid; int rest[11]; } event;
  int signal = INTERRUPT - kind;
  working_mask = ~0UL;
  waiting_masks[kind] = ~0UL ^ 1UL << (signal - 1);
  clear(&action, sizeof action);
  clear(&event, sizeof event);
  action.handler = (long)interrupted;
  action.flags = given.restorer ? SA_RESTORER : 0;
  action.restorer = given.restorer;
  event.signal = signal;
  event.kind = SIGEV_THREAD_ID;
  event.tid = CALL(gettid, 0, 0, 0, 0, 0, 0);
  if (CALL(rt_sigaction, signal, &action, 0, 8, 0, 0) < 0) return 0;
  if (CALL(rt_sigprocmask, SIG_SETMASK, &working_mask, 0, 8, 0, 0) < 0) return 0;
  return CALL(timer_create, CLOCK_MONOTONIC, &event, &timers[kind], 0, 0, 0) == 0;
}

static int reduce_capabilities(void) {
  int sets[6];
  u32 header[2];
  header[0] = 0x20080522;
  header[1] = 0;
  if (CALL(capget, header, sets, 0, 0, 0, 0) < 0) return 0;
  sets[0] = sets[1] = sets[1] & given.capabilities;
  sets[2] = sets[3] = sets[4] = sets[5] = 0;
  if (CALL(capset, header, sets, 0, 0, 0, 0) < 0) return 0;
  own_capabilities[0] = sets[0];
  return 1;
}

/* Only what was there when the plan was made: a link that was put in its place is not followed. */
static void open_grants(void) {
  for (int at = 0; at < configuration->grants; at++) {
    struct grant *grant = &configuration->grant[at];
    grant->descriptor = -1;
    if (grant->kind == GRANT_SOCKET) continue;
    how.flags = O_PATH | O_CLOEXEC;
    how.mode = 0;
    how.resolve = RESOLVE_NO_SYMLINKS;
    grant->descriptor = CALL(openat2, AT_FDCWD, grant_path(grant), &how, sizeof how, 0, 0);
  }
}

/* What the starter left when it became the command. */
static void unmap_the_rest(void) {
  int at = 0;
  for (; given.unmapped[at + 1] != 0; at += 2)
    CALL(munmap, given.unmapped[at], given.unmapped[at + 1] - given.unmapped[at], 0, 0, 0, 0);
  /* To the end, wherever that is on this machine: what reaches beyond it is refused as a whole. */
  for (long bits = 57; bits > 38; bits--)
    if (CALL(munmap, given.unmapped[at], (1L << bits) - PAGE_BYTES - given.unmapped[at], 0, 0, 0, 0) == 0) break;
}

static void leave(void) {
  for (;;) CALL(exit_group, 0, 0, 0, 0, 0, 0);
}

/* A thread alone, or its process. */
static void end_mediator(void) {
  if (given.is_process) leave();
  for (;;) CALL(exit, 0, 0, 0, 0, 0, 0);
}

/* @returns 0 when the process that makes the sandbox ended before there was a listener. */
static int await_listener(void) {
  struct { int descriptor; short events, happened; } polled[2];
  polled[0].descriptor = given.ready;
  polled[1].descriptor = given.starter;
  polled[0].events = polled[1].events = POLLIN;
  while (CALL(ppoll, polled, 2, 0, 0, 0, 0) < 0) continue;
  return polled[0].happened & POLLIN;
}

/*
 * Until the starter is the command, or has ended: execve(2) closes its end of the pipe after it has left the memory that it shared (begin_new_exec of
 * fs/exec.c), so that all of that is this process's alone, and no fork has to copy it first.
 */
static void await_execution(long ready) {
  u8 byte;
  CALL(dup3, ready, 1, O_CLOEXEC, 0, 0, 0);
  CALL(close_range, 2, 0xffffffff, 0, 0, 0, 0);
  while (CALL(read, 1, &byte, 1, 0, 0, 0) > 0) continue;
}

static void mediator_main(void) {
  /* Until here a process has the descriptors of its starter, which took a table of its own before it told of the listener. */
  if (given.is_process && !await_listener()) leave();
  long ready = given.is_process ? CALL(fcntl, given.ready, F_DUPFD, OUT_OF_THE_WAY, 0, 0, 0) : -1;
  /* A thread that is cloned without CLONE_FILES has descriptors of its own, as a process has. First out of each other's way. */
  listener = CALL(fcntl, given.listener, F_DUPFD, OUT_OF_THE_WAY, 0, 0, 0);
  long tells = given.tells < 0 ? -1 : CALL(fcntl, given.tells, F_DUPFD, OUT_OF_THE_WAY, 0, 0, 0);
  long listens = given.tells < 0 ? -1 : CALL(fcntl, given.listens, F_DUPFD, OUT_OF_THE_WAY, 0, 0, 0);
  /* Where so few descriptors are allowed (RLIMIT_NOFILE), what is 0 stays somebody's stream: nothing is mediated, and the calls fail. */
  if (listener < 0 || CALL(dup3, listener, 0, O_CLOEXEC, 0, 0, 0) < 0) end_mediator();
  listener = 0;
  if (given.is_process) await_execution(ready);
  if (tells >= 0) CALL(dup3, tells, TELLS, O_CLOEXEC, 0, 0, 0);
  if (tells >= 0) CALL(dup3, listens, LISTENS, O_CLOEXEC, 0, 0, 0);
  CALL(close_range, tells < 0 ? 1 : LISTENS + 1, 0xffffffff, 0, 0, 0, 0);
  if (given.is_process) {
    CALL(setsid, 0, 0, 0, 0, 0, 0);
    CALL(prctl, 15, "nono-mediator", 0, 0, 0, 0);
    unmap_the_rest();
  }
  stay_at_own_descriptors();
  open_grants();
  reserve_link();
  /* Best effort: a kernel before 6.6 has no such flag. */
  CALL(ioctl, listener, NOTIF_SET_FLAGS, SYNC_WAKE_UP, 0, 0, 0);
  if (prepare_interrupts(VAIN) && prepare_interrupts(FAR) && prepare_interrupts(NEAR) && reduce_capabilities() && (configuration->asking == 0 || prepare_asking())) serve();
  end_mediator();
}

/* A process between the one that becomes the command and the mediator: when it has ended, the mediator is no child of the command. */
static void mediator_apart(void) {
  *(void **)given.stack = (void *)mediator_main;
  given.clone_onto(CLONE_VM | CLONE_FILES, given.stack);
  leave();
}

struct arguments {
  void *configuration;
  void *system;
  long restorer;
  long listener;
  long capabilities;
  long is_process;
  long wait_ends;
  void *clone_onto;
  long stack;
  long ready;
  long starter;
  long tells;
  long listens;
  long unmapped[16];
  long refusals;
};

/* @returns where the thread or process begins. */
static void *mediator_prepare(struct arguments *arguments) {
  configuration = arguments->configuration;
  system = (system_call)arguments->system;
  given.restorer = arguments->restorer;
  given.listener = arguments->listener;
  given.capabilities = arguments->capabilities;
  given.is_process = arguments->is_process;
  given.wait_ends = arguments->wait_ends;
  given.clone_onto = arguments->clone_onto;
  given.stack = arguments->stack;
  given.ready = arguments->ready;
  given.starter = arguments->starter;
  given.tells = arguments->tells;
  given.listens = arguments->listens;
  for (int at = 0; at < 16; at++) given.unmapped[at] = arguments->unmapped[at];
  refusals = (struct refusals *)arguments->refusals;
  return given.is_process ? (void *)mediator_apart : (void *)mediator_main;
}
