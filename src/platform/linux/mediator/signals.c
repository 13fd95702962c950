/*
 * Signals, where Landlock does not keep them inside (before ABI 6). Who may be reached is decided by the kernel: this
 * program is in a Landlock domain that forbids nothing, and the command in one below it, so that it may look at
 * exactly the processes of that tree (domain_ptrace() of security/landlock/task.c), and at no other. What is asked and what is
 * sent go by the same pidfd: whose number it becomes later does not matter.
 */
enum { F_SETOWN = 8, F_SETOWN_EX = 15, F_OWNER_TID = 0, F_OWNER_PID = 1, SIGINFO_BYTES = 128, MEMBERS_MAXIMUM = 8192, ROUNDS = 100 };

/* The process of a pidfd as numbers have it here; -EBADF for what is none. */
static long process_by(long pidfd) {
  static char text[512];
  char path[64];
  append(append_number(append(path, "/proc/thread-self/fdinfo/"), pidfd), "");
  long file = CALL(openat, AT_FDCWD, path, O_RDONLY | O_CLOEXEC, 0, 0, 0);
  if (file < 0) return -EBADF;
  long bytes = CALL(read, file, text, sizeof text - 1, 0, 0, 0);
  close_descriptor(file);
  text[bytes < 0 ? 0 : bytes] = 0;
  for (char *at = text; *at; at++) {
    if (at[0] != '\n' || !starts_with(at + 1, "Pid:\t")) continue;
    long pid = parse_number(at + 6, 0);
    return pid > 0 ? pid : -ESRCH;
  }
  return -EBADF;
}

/* Of something that surely is a pidfd. No process has a descriptor -1: any other answer than EPERM says that we might look. */
static int is_inside(long pidfd) {
  long result = CALL(pidfd_getfd, pidfd, -1, 0, 0, 0, 0);
  return result == -EBADF || result == -ESRCH;
}

static long own_process(void) { return CALL(getpid, 0, 0, 0, 0, 0, 0); }

/* `information` is null, or 128 bytes that were copied. */
static long send_by(long pidfd, long signal, void *information) {
  if (!is_inside(pidfd) || !is_waiting(request.id)) return -EPERM;
  return CALL(pidfd_send_signal, pidfd, signal, information, 0, 0, 0);
}

/* A number that is a thread's stands for its process, as for kill(2). */
static long signal_process(long pid, long signal, void *information) {
  long pidfd = keep(CALL(pidfd_open, pid, 0, 0, 0, 0, 0));
  if (pidfd == -EINVAL) pidfd = keep(CALL(pidfd_open, pid = process_of(pid), 0, 0, 0, 0, 0));
  if (pidfd < 0) return pidfd;
  return pid == own_process() ? -EPERM : send_by(pidfd, signal, information);
}

/*
 * One thread of another process, or another thread of the caller's. Before 6.9 threads have no descriptors: then the thread is
 * reached by both numbers, of which the process's was looked at.
 */
static long signal_thread(long pid, long tid, long signal, void *information) {
  if (pid == own_process()) return -EPERM;
  if (pid == tid) return signal_process(pid, signal, information);
  long process = keep(CALL(pidfd_open, pid, 0, 0, 0, 0, 0));
  if (process < 0) return process == -EINVAL ? -ESRCH : process;
  if (!is_inside(process)) return -EPERM;
  if (process_of(tid) != pid) return -ESRCH;
  long thread = keep(CALL(pidfd_open, tid, PIDFD_THREAD, 0, 0, 0, 0));
  if (thread >= 0) return send_by(thread, signal, information);
  if (thread != -EINVAL) return thread;
  if (!is_waiting(request.id)) return -EPERM;
  return information ? -EPERM : CALL(tgkill, pid, tid, signal, 0, 0, 0);
}

/* Who was signalled already: a group that forks meanwhile is looked through again. */
static u32 members[MEMBERS_MAXIMUM];
static long member_count;

static int is_member(u32 pid) {
  for (long at = 0; at < member_count; at++) if (members[at] == pid) return 1;
  return 0;
}

/* struct linux_dirent64: inode, offset, length of the entry, type, name */
enum { ENTRY_LENGTH_AT = 16, ENTRY_NAME_AT = 19 };

/* All of a process group, or with `group` 0 all processes; but not the caller's, whose end would end this. @returns how many were new. */
static long signal_round(long group, long caller, long signal, long *done, long *refused) {
  static char entries[16384];
  long fresh = 0;
  long directory = keep(CALL(openat, AT_FDCWD, "/proc", O_RDONLY | O_CLOEXEC, 0, 0, 0));
  for (;;) {
    long bytes = CALL(getdents64, directory, entries, sizeof entries, 0, 0, 0);
    if (bytes <= 0) return fresh;
    for (char *at = entries; at < entries + bytes; at += *(u16 *)(at + ENTRY_LENGTH_AT)) {
      long pid = parse_number(at + ENTRY_NAME_AT, 0);
      if (pid <= 1 || pid == caller || is_member(pid) || member_count == MEMBERS_MAXIMUM) continue;
      if (group != 0 && CALL(getpgid, pid, 0, 0, 0, 0, 0) != group) continue;
      int before = opened_count;
      long result = signal_process(pid, signal, 0);
      while (opened_count > before) close_descriptor(opened[--opened_count]);
      members[member_count++] = pid;
      fresh++;
      if (result == 0) ++*done;
      else if (result == -EPERM) ++*refused;
    }
  }
}

static long signal_group(long group, long caller, long signal) {
  long done = 0, refused = 0;
  member_count = 0;
  for (int round = 0; round < ROUNDS && signal_round(group, caller, signal, &done, &refused) > 0; round++) continue;
  if (group != 0 && CALL(getpgid, caller, 0, 0, 0, 0, 0) == group && signal_process(caller, signal, 0) == 0) done++;
  return done > 0 ? 0 : refused > 0 ? -EPERM : -ESRCH;
}

static long signal_by_number(long pid, long signal, long caller) {
  if (pid == caller) return CONTINUED;
  if (pid > 0) return signal_process(pid, signal, 0);
  if (pid == -1) return signal_group(0, caller, signal);
  long group = pid == 0 ? CALL(getpgid, request.tid, 0, 0, 0, 0, 0) : -pid;
  if (group < 0) return group;
  /* What getpgid(2) answered was about this caller, if it is the caller still. */
  return is_waiting(request.id) ? signal_group(group, caller, signal) : -EPERM;
}

static u8 information[SIGINFO_BYTES];

/* The kernel itself sets the number and checks the rest: nobody passes for the kernel or for kill(2). */
static long copy_information(u64 from, int signal) {
  long failure = read_memory(from, information, SIGINFO_BYTES);
  if (failure == 0) *(int *)information = signal;
  return failure;
}

static long signal_by_descriptor(void) {
  u64 *a = request.arguments;
  if (a[3] != 0) return -EINVAL;
  long pidfd = take(a[0]);
  if (pidfd < 0) return pidfd;
  long pid = process_by(pidfd);
  if (pid < 0) return pid;
  if (pid == own_process()) return -EPERM;
  if (a[2] == 0) return send_by(pidfd, (int)a[1], 0);
  long failure = read_memory(a[2], information, SIGINFO_BYTES);
  return failure < 0 ? failure : send_by(pidfd, (int)a[1], information);
}

/* Who gets the signals of a descriptor: the caller's own process, or nobody. */
static long set_owner(long caller) {
  struct { int kind, pid; } owner;
  u64 *a = request.arguments;
  if ((u32)a[1] == F_SETOWN) return (int)a[2] == caller ? CONTINUED : -EPERM;
  if ((u32)a[1] != F_SETOWN_EX) return -EINVAL;
  long failure = read_memory(a[2], &owner, sizeof owner);
  if (failure < 0) return failure;
  int is_own = (owner.kind == F_OWNER_PID && owner.pid == caller) || (owner.kind == F_OWNER_TID && owner.pid == (int)request.tid);
  if (owner.pid != 0 && !is_own) return -EPERM;
  long file = take(a[0]);
  if (file < 0) return file;
  if (!is_waiting(request.id)) return -EPERM;
  long result = CALL(fcntl, file, F_SETOWN_EX, &owner, 0, 0, 0);
  /* A caller that is gone may have left its number to somebody else. */
  if (!is_waiting(request.id)) CALL(fcntl, file, F_SETOWN, 0, 0, 0, 0);
  return result;
}

/*
 * Only what is for the caller's own process goes on in the kernel: it cannot be another's while the caller waits, and numbers in
 * registers do not change.
 */
static long send_signal(void) {
  u64 *a = request.arguments;
  int first = a[0], second = a[1];
  long failure, caller;
  if (request.number == CALL_pidfd_send_signal) return signal_by_descriptor();
  caller = process_of(request.tid);
  if (caller < 0) return caller;
  switch (request.number) {
    case CALL_kill: return signal_by_number(first, second, caller);
    case CALL_tgkill:
      if (first <= 0 || second <= 0) return -EINVAL;
      return first == caller ? CONTINUED : signal_thread(first, second, (int)a[2], 0);
    case CALL_tkill:
      if (first <= 0) return -EINVAL;
      if (first == (int)request.tid) return CONTINUED;
      return signal_thread(process_of(first), first, second, 0);
    case CALL_rt_sigqueueinfo:
      if (first == caller) return CONTINUED;
      failure = copy_information(a[2], second);
      return failure < 0 ? failure : signal_process(first, second, information);
    case CALL_rt_tgsigqueueinfo:
      if (first == caller) return CONTINUED;
      if (first <= 0 || second <= 0) return -EINVAL;
      failure = copy_information(a[3], (int)a[2]);
      return failure < 0 ? failure : signal_thread(first, second, (int)a[2], information);
    case CALL_fcntl: return set_owner(caller);
  }
  return -ENOSYS;
}
