/* The life of the mediator: how it begins, what it keeps of where it came from, and its end. */

enum { CLONE_VM = 0x100, CLONE_FILES = 0x400 };
/* Above what the streams and the first descriptors of a process are. */
enum { F_DUPFD = 0, OUT_OF_THE_WAY = 16 };

static void interrupted(int signal) { (void)signal; was_interrupted = 1; }

enum { INTERRUPT = 63, SIGEV_THREAD_ID = 4, SA_RESTORER = 0x04000000, CLOCK_MONOTONIC = 1 };

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

static void leave(long status) {
  for (;;) CALL(exit_group, status, 0, 0, 0, 0, 0);
}

/* A thread alone, or its process. */
static void end_mediator(void) {
  if (given.is_process) leave(0);
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
  if (given.is_process && !await_listener()) leave(0);
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
  long result = given.clone_onto(CLONE_VM | CLONE_FILES, given.stack);
  /* Where its user may have no more processes it says so by its end. */
  leave(result < 0 ? -result : 0);
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
