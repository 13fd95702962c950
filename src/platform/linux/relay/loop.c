/* include/uapi/asm-generic/signal.h, signal-defs.h */
enum { SIGTTIN = 21, SIG_UNBLOCK = 1 };
/* Told at once when it is so much, else after a while: whoever waits for an echo needs the processor more. So little waits for a pause. */
enum { MUCH_BYTES = 512 * 1024, LITTLE_BYTES = 4 * 1024 };

struct poll { int descriptor; short events, happened; };

static int is_full(struct relay *r) { return r->up_size - r->up_head < READ_BYTES; }

/* JavaScript has not had all that the terminal sent, or is to ask again, and was not told. */
static int owes(struct relay *r) { return !r->is_told && (r->is_direct_lost || (r->is_session && r->given < r->up_head)); }

/*
 * When JavaScript is to be told of what it is owed since then: in a pause, or, where there is none for long, a moment after something came. What
 * it does with one echo is done before the next key, mostly.
 */
static long due_at(struct relay *r, long since, long last) {
  if (r->is_direct_lost || r->up_head - r->given > LITTLE_BYTES) return since + r->patience;
  long after_last = last + (last - since < r->longest ? r->pause : r->patience);
  long latest = since + r->longest + r->pause;
  return after_last < latest ? after_last : latest;
}

/* include/uapi/linux/sched/types.h */
struct scheduling { u32 size, policy; u64 flags; u32 nice, priority; u64 runtime, deadline, period; };
enum { SLICE_NANOSECONDS = 100000, NICE_OF_GETPRIORITY = 20, SCHED_FLAG_KEEP_POLICY = 8 };

/*
 * This thread never runs for long, and somebody waits for what it does: from Linux 6.12 on it may say so, and is not kept waiting for the whole slice of
 * whoever runs (kernel/sched/fair.c, PREEMPT_SHORT). Before, nothing changes.
 */
static void ask_for_short_slices(struct relay *r) {
  struct scheduling wanted;
  long nice = CALL(r, getpriority, 0, 0, 0, 0, 0, 0);
  if (nice < 0) return;
  wanted.size = sizeof wanted;
  wanted.policy = wanted.priority = wanted.deadline = wanted.period = 0;
  /* Who was started with another one keeps it (chrt(1)). */
  wanted.flags = SCHED_FLAG_KEEP_POLICY;
  wanted.nice = NICE_OF_GETPRIORITY - nice;
  wanted.runtime = SLICE_NANOSECONDS;
  CALL(r, sched_setattr, 0, &wanted, 0, 0, 0, 0);
}

/*
 * This thread begins with all signals blocked. With this one the kernel does not stop a process in the background that reads, but tells it that its terminal
 * has ended (drivers/tty/tty_jobctrl.c); nobody has a handler for it, which could not run here.
 */
static void let_stop_in_background(struct relay *r) {
  u64 signals = 1UL << (SIGTTIN - 1);
  if (!r->is_session) CALL(r, rt_sigprocmask, SIG_UNBLOCK, &signals, 0, sizeof signals, 0, 0);
}

/* What is waited for, of the ends that there are now. */
static void list_events(struct relay *r, struct poll *polled) {
  polled[0].descriptor = r->nudge;
  polled[0].events = POLLIN;
  polled[1].events = (is_full(r) || r->terminal_ended ? 0 : POLLIN) | (r->wants_room == 1 || r->pending < r->pending_end ? POLLOUT : 0);
  polled[2].events = (r->down_head == r->down_size || r->wire_ended || r->pending < r->pending_end ? 0 : POLLIN) |
    (r->sent < r->mine || r->header_left > 0 ? POLLOUT : 0);
  /* Of what is not asked, the end would be told for ever. */
  polled[1].descriptor = polled[1].events ? r->terminal : -1;
  polled[2].descriptor = polled[2].events ? r->wire : -1;
}

/* Without the lock. @param longest In nanoseconds; negative for ever. @returns whether anything happened. */
static int wait(struct relay *r, struct poll *polled, long longest) {
  struct time patience;
  u64 count;
  long happened = 0;
  patience.seconds = patience.nanoseconds = 0;
  if (r->eager_until) {
    do happened = CALL(r, ppoll, polled, 3, &patience, 0, 8, 0);
    while (happened == 0 && now(r) < r->eager_until);
    r->vain = happened == 0 ? r->vain + 1 : 0;
    r->eager_until = 0;
  }
  patience.nanoseconds = longest;
  if (happened == 0) happened = CALL(r, ppoll, polled, 3, longest < 0 ? 0 : &patience, 0, 8, 0);
  if (happened > 0 && polled[0].happened) CALL(r, read, polled[0].descriptor, &count, 8, 0, 0, 0);
  return happened > 0;
}

static void act_upon(struct relay *r, struct poll *polled) {
  if (polled[1].happened & ~POLLIN && r->pending < r->pending_end && write_pending(r)) {
    pass_down(r);
    settle_down(r);
  }
  if (polled[1].happened & ~POLLIN && r->wants_room == 1) {
    r->wants_room = 2;
    tell(r);
  }
  if (polled[2].happened & ~POLLIN && (r->sent < r->mine || r->header_left > 0)) {
    pass_up(r);
    settle_up(r);
  }
  if (polled[1].happened & ~POLLOUT && polled[1].events & POLLIN) read_terminal(r);
  if (polled[2].happened & ~POLLOUT && polled[2].events & POLLIN) read_wire(r);
}

static void relay_main(void) {
  struct relay *r = next;
  struct poll polled[3];
  long since = 0;
  long last = 0;
  long last_head = 0;
  ask_for_short_slices(r);
  let_stop_in_background(r);
  /* It is created locked: whoever takes it first knows that this has begun. */
  while (!r->is_over) {
    long number = r->number;
    if (is_full(r) || (owes(r) && r->is_session && r->up_head - r->given >= MUCH_BYTES)) tell(r);
    int is_owing = owes(r);
    long begun = is_owing ? now(r) : 0;
    if (!is_owing || since == 0) since = begun;
    if (since == begun || r->up_head != last_head) last = begun;
    last_head = r->up_head;
    long due = is_owing ? due_at(r, since, last) : 0;
    list_events(r, polled);
    unlock(r);

    int has_happened = wait(r, polled, !is_owing ? -1 : due > begun ? due - begun : 0);

    lock(r);
    /* Of the ends that there were. */
    if (has_happened && number == r->number && !r->is_over) act_upon(r, polled);
    /* After what somebody waits for. */
    if (is_owing && now(r) >= due) tell(r);
  }
  r->is_over = 2;
  unlock(r);
  for (;;) CALL(r, exit, 0, 0, 0, 0, 0, 0);
}

/* @returns where a thread for this relay begins; another may be prepared when that one has unlocked it. */
static void *relay_prepare(struct relay *relay) {
  next = relay;
  return (void *)relay_main;
}
