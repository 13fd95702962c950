/*
 * Confines the calling process by what a launch says, and becomes the command: in the process itself, or in a child that shares all memory with
 * its parent until execve(2), as vfork(2) has it. So nothing here uses a library or anything of the runtime, and all that it reads was written before.
 * Numbers of calls (CALL_name) and flags that differ between machines are defined by whoever compiles it (load.ts).
 */

enum { EPERM = 1, ENOENT = 2, ESRCH = 3, ENOEXEC = 8, EACCES = 13, ENODEV = 19, ENOTDIR = 20, EINVAL = 22, ETIMEDOUT = 110, ESTALE = 116 };

/* include/uapi/linux/prctl.h, capability.h, landlock.h, seccomp.h, close_range.h, fcntl.h, sched.h */
enum { PR_SET_PDEATHSIG = 1, PR_CAPBSET_READ = 23, PR_CAPBSET_DROP = 24, PR_SET_NO_NEW_PRIVS = 38, PR_CAP_AMBIENT = 47, PR_CAP_AMBIENT_CLEAR_ALL = 4 };
enum { CAPABILITY_VERSION = 0x20080522, CAPABILITY_NUMBERS = 64 };
enum { RULE_PATH_BENEATH = 1, RULE_NET_PORT = 2 };
enum { SET_MODE_FILTER = 1, SPEC_ALLOW = 4, NEW_LISTENER = 8, WAIT_KILLABLE_RECV = 32 };
enum { CLOSE_RANGE_UNSHARE = 2, CLOSE_RANGE_CLOEXEC = 4, FIRST_EXTRA_DESCRIPTOR = 3 };
enum { AT_FDCWD = -100, O_PATH = 0x200000, O_CLOEXEC = 0x80000, RESOLVE_NO_SYMLINKS = 4 };
enum { CLONE_VM = 0x100, CLONE_FILES = 0x400, CLONE_VFORK = 0x4000, SIGCHLD = 17 };
enum { RLIMIT_NOFILE = 7 };
enum { SIG_DFL = 0, SIG_IGN = 1, SIGKILL = 9, SIGNALS = 64, SIG_SETMASK = 2, TIOCSPGRP = 0x5410 };

/* LaunchStep of sandbox/launch.ts, in the order of STEPS of launch-memory.ts. */
enum { STEP_SUPERVISOR, STEP_DESCRIPTORS, STEP_DIRECTORY, STEP_CAPABILITIES, STEP_PRIVILEGES, STEP_RULESET, STEP_RULE, STEP_RESTRICT, STEP_SIGNALS,
  STEP_FILTER, STEP_EXECUTE, DONE = -1 };

/* The right of a rule whose path has to be there. */
enum { REQUIRED = 1 << 30 };

struct launch {
  /* Answers: the step that failed or DONE, the errno, which rule or executable it was about or -1, and what the filter's mediator listens on or -1. */
  long step;
  long error;
  long item;
  long listener;
  long (*system)(long number, long a, long b, long c, long d, long e, long f);
  long (*clone_onto)(long flags, long stack);
  long stack;
  /* What it may not outlive, or 0; whether it takes the terminal on descriptor 0. */
  long supervisor;
  long takes_terminal;
  const char *directory;
  /* The low 32 bits; all others are dropped. */
  long capabilities;
  struct { u64 fs, net, scoped; } handled;
  /* Rights, and paths one after the other, each ended by NUL. */
  long rules;
  const u32 *rights;
  const char *paths;
  long ports;
  const struct { u64 rights, port; } *port;
  /* Signal N is bit N - 1. */
  u64 ignored;
  u64 blocked;
  const void *filter;
  long listens;
  /* Each ended by 0. The second word of `shell` is left out: it is the path that has no format of its own. */
  const char **executables;
  const char **command;
  const char **shell;
  const char **environment;
  /* An answer, too: the rules, once they are made, or -1. */
  long ruleset;
  /* How many descriptors the command may have until it asks for more, or 0 for as many as this process. */
  u64 descriptors;
};

static struct launch *launch;

#define CALL(name, a, b, c, d, e) launch->system(CALL_##name, (long)(a), (long)(b), (long)(c), (long)(d), (long)(e), 0)

static int fail(long step, long result) {
  launch->step = step;
  launch->error = -result;
  return 0;
}

/* The parent is looked at after the request: a supervisor that died just before would never be noticed. */
static int die_with_supervisor(void) {
  if (launch->supervisor == 0) return 1;
  long result = CALL(prctl, PR_SET_PDEATHSIG, SIGKILL, 0, 0, 0);
  if (result < 0) return fail(STEP_SUPERVISOR, result);
  return CALL(getppid, 0, 0, 0, 0, 0) == launch->supervisor || fail(STEP_SUPERVISOR, -ESRCH);
}

/* In the foreground of its terminal, with a group of its own. A terminal that was hung up meanwhile has no foreground. */
static void take_terminal(void) {
  int group = CALL(getpid, 0, 0, 0, 0, 0);
  CALL(setpgid, 0, 0, 0, 0, 0);
  CALL(ioctl, 0, TIOCSPGRP, &group, 0, 0);
}

/*
 * Keeps only `capabilities`, in every set: effective and permitted for now, bounding so that executing a file as root does not bring the others
 * back, ambient and inheritable so that nothing passes them on.
 */
static int reduce_capabilities(void) {
  u32 header[2], sets[6];
  u32 any = 0;
  header[0] = CAPABILITY_VERSION;
  header[1] = 0;
  long result = CALL(capget, header, sets, 0, 0, 0);
  if (result < 0) return fail(STEP_CAPABILITIES, result);
  for (int at = 0; at < 6; at++) any |= sets[at];
  if (any == 0) return 1;
  for (int number = 0; number < CAPABILITY_NUMBERS; number++) {
    if (number < 32 && launch->capabilities >> number & 1) continue;
    long state = CALL(prctl, PR_CAPBSET_READ, number, 0, 0, 0);
    /* Above the last that this kernel knows. */
    if (state < 0) break;
    if (state == 0) continue;
    result = CALL(prctl, PR_CAPBSET_DROP, number, 0, 0, 0);
    /* EPERM: a container that took CAP_SETPCAP away. no_new_privs then still keeps execve(2) from raising the permitted set above what capset
       leaves (cap_bprm_creds_from_file of security/commoncap.c). */
    if (result < 0 && result != -EPERM) return fail(STEP_CAPABILITIES, result);
  }
  result = CALL(prctl, PR_CAP_AMBIENT, PR_CAP_AMBIENT_CLEAR_ALL, 0, 0, 0);
  if (result < 0) return fail(STEP_CAPABILITIES, result);
  sets[0] &= launch->capabilities;
  sets[1] &= launch->capabilities;
  sets[2] = sets[3] = sets[4] = sets[5] = 0;
  result = CALL(capset, header, sets, 0, 0, 0);
  return result >= 0 || fail(STEP_CAPABILITIES, result);
}

/* struct landlock_path_beneath_attr, which is packed. */
static u32 beneath[3];

static int add_rules(long ruleset) {
  struct { u64 flags, mode, resolve; } how;
  const char *path = launch->paths;
  how.flags = O_PATH | O_CLOEXEC;
  how.mode = 0;
  /* The plan's paths have their links resolved, so a link met now was put there since, perhaps by another sandboxed command that wants more: it is
     refused, never followed. */
  how.resolve = RESOLVE_NO_SYMLINKS;
  for (long at = 0; at < launch->rules; at++) {
    long opened = CALL(openat2, AT_FDCWD, path, &how, sizeof how, 0);
    if (opened < 0 && launch->rights[at] & REQUIRED) return launch->item = at, fail(STEP_RULE, opened);
    if (opened >= 0) {
      beneath[0] = launch->rights[at] & ~REQUIRED;
      beneath[1] = 0;
      beneath[2] = opened;
      long result = CALL(landlock_add_rule, ruleset, RULE_PATH_BENEATH, beneath, 0, 0);
      CALL(close, opened, 0, 0, 0, 0);
      if (result < 0) return launch->item = at, fail(STEP_RULE, result);
    }
    while (*path++) continue;
  }
  for (long at = 0; at < launch->ports; at++) {
    long result = CALL(landlock_add_rule, ruleset, RULE_NET_PORT, &launch->port[at], 0, 0);
    if (result < 0) return fail(STEP_RULE, result);
  }
  return 1;
}

static int make_rules(void) {
  /* An older kernel takes the longer form while what it does not know is zero. */
  long ruleset = CALL(landlock_create_ruleset, &launch->handled, sizeof launch->handled, 0, 0, 0);
  if (ruleset < 0) return fail(STEP_RULESET, ruleset);
  if (add_rules(ruleset)) return launch->ruleset = ruleset, 1;
  CALL(close, ruleset, 0, 0, 0, 0);
  return 0;
}

/* The table of descriptors is the parent's still: what that made ready is closed for both. */
static int restrict_files(void) {
  if (launch->ruleset < 0 && !make_rules()) return 0;
  long result = CALL(landlock_restrict_self, launch->ruleset, 0, 0, 0, 0);
  CALL(close, launch->ruleset, 0, 0, 0, 0);
  return result >= 0 || fail(STEP_RESTRICT, result);
}

/*
 * The command finds the caller's settings. No handler is left before a signal can come: a child that shares its parent's memory must not run
 * one of the runtime's.
 */
static int restore_signals(void) {
  struct { long handler; u64 flags; long restorer; u64 mask; } action;
  action.flags = action.restorer = action.mask = 0;
  for (int signal = 1; signal <= SIGNALS; signal++) {
    action.handler = launch->ignored >> (signal - 1) & 1 ? SIG_IGN : SIG_DFL;
    /* EINVAL: those that nobody can set. */
    CALL(rt_sigaction, signal, &action, 0, 8, 0);
  }
  long result = CALL(rt_sigprocmask, SIG_SETMASK, &launch->blocked, 0, 8, 0);
  return result >= 0 || fail(STEP_SIGNALS, result);
}

/*
 * Covers this thread alone, which is enough: execve(2) ends the others. Without SPEC_ALLOW a kernel before 5.16 turns mitigations on for the command
 * that cost several per cent and that guard secrets within one process only.
 */
static int install_filter(void) {
  long flags = SPEC_ALLOW;
  /* A signal must not make the caller ask again for what is being done (connect(2) would find itself connected). */
  if (launch->listens) flags |= NEW_LISTENER | WAIT_KILLABLE_RECV;
  long result = CALL(seccomp, SET_MODE_FILTER, flags, launch->filter, 0, 0);
  /* WAIT_KILLABLE_RECV is of Linux 5.19. */
  if (launch->listens && result == -EINVAL) result = CALL(seccomp, SET_MODE_FILTER, flags & ~WAIT_KILLABLE_RECV, launch->filter, 0, 0);
  if (result < 0) return fail(STEP_FILTER, result);
  if (launch->listens) launch->listener = result;
  return 1;
}

/*
 * Marked, not closed: the runtime of a process that confines itself goes on using its own until execve(2) closes them all. In a table of its own:
 * the parent keeps its descriptors as they are, and the listener among them.
 */
static int let_go(void) {
  long result = CALL(close_range, FIRST_EXTRA_DESCRIPTOR, 0x7fffffff, CLOSE_RANGE_UNSHARE | CLOSE_RANGE_CLOEXEC, 0, 0);
  return result >= 0 || fail(STEP_DESCRIPTORS, result);
}

static int confine(void) {
  if (!die_with_supervisor()) return 0;
  long result = CALL(chdir, launch->directory, 0, 0, 0, 0);
  if (result < 0) return fail(STEP_DIRECTORY, result);
  if (!reduce_capabilities()) return 0;
  result = CALL(prctl, PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0);
  if (result < 0) return fail(STEP_PRIVILEGES, result);
  return restrict_files() && restore_signals() && install_filter() && let_go();
}

/* What the runtime has raised for itself. At the very end: it may have more open by now. */
static void restore_descriptors(void) {
  u64 limits[2];
  if (launch->descriptors == 0 || CALL(prlimit64, 0, RLIMIT_NOFILE, 0, limits, 0) < 0 || limits[0] <= launch->descriptors) return;
  limits[0] = launch->descriptors;
  CALL(prlimit64, 0, RLIMIT_NOFILE, limits, 0, 0);
}

/* Errors that make execvp(3) look on: there may be a usable file further down PATH. */
static int looks_on(long error) {
  return error == EACCES || error == ENOENT || error == ENOTDIR || error == ENODEV || error == ETIMEDOUT || error == ESTALE;
}

/* Tries each candidate; a refusal outweighs an absence. */
static void execute(void) {
  long error = ENOENT, item = -1;
  restore_descriptors();
  for (long at = 0; launch->executables[at]; at++) {
    long result = CALL(execve, launch->executables[at], launch->command, launch->environment, 0, 0);
    if (result == -ENOEXEC) {
      launch->shell[1] = launch->executables[at];
      result = CALL(execve, launch->shell[0], launch->shell, launch->environment, 0, 0);
    }
    if (item < 0 || result != -ENOENT) error = -result, item = at;
    if (!looks_on(-result)) break;
  }
  launch->item = item;
  fail(STEP_EXECUTE, -error);
}

static void be_child(void) {
  if (launch->takes_terminal) take_terminal();
  if (confine()) execute();
  for (;;) CALL(exit_group, 1, 0, 0, 0, 0);
}

/* Put in by whoever compiles it. */
#include "look-up.c"

enum { CONFINE, EXECUTE, START, INVOKE = 6, PREPARE };

/* Other machine code: to make a function of JavaScript's of it takes longer than most calls. */
struct invocation {
  long (*function)(long a, long b);
  long a, b;
};

static long invoke(struct invocation *of) {
  return of->function(of->a, of->b);
}

/*
 * PREPARE makes the rules before the rest, in a process that is not confined by them. @returns for START the pid of the child, which is the command or
 * has ended, or an errno negated. The answers are in the launch. For what look-up.c does, see there.
 */
static long launch_run(struct launch *instructions, long what) {
  if (what == RESOLVE || what == LIST || what == READ) return look_up((struct look_up *)instructions, what);
  if (what == INVOKE) return invoke((struct invocation *)instructions);
  launch = instructions;
  if (what == CONFINE) return confine();
  if (what == PREPARE) return make_rules();
  if (what == EXECUTE) return execute(), 0;
  *(void **)launch->stack = (void *)be_child;
  return launch->clone_onto(CLONE_VM | CLONE_FILES | CLONE_VFORK | SIGCHLD, launch->stack);
}
