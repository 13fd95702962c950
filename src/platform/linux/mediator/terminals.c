/*
 * Terminals that programs inside make. The rules name no terminal, since those of the user have such names too: what may be
 * opened is the other side of a master that somebody inside has.
 */
enum { TIOCGPTPEER = 0x5441, TIOCGPTN = 0x80045430, PTMX_MAJOR = 5, PTMX_MINOR = 2 };

/* Other sides, as paths of no name: they neither keep a terminal open nor lead to the next one with its number. */
enum { TERMINALS_MAXIMUM = 64 };
static struct {
  long number;
  /* In how many filters who asked for the number is: 0 where no nono is inside. */
  long filters;
  int side;
} terminals[TERMINALS_MAXIMUM];
static int terminal_count;

static int is_master(long file) {
  static struct facts facts;
  if (look_at(file, &facts) < 0) return 0;
  return (facts.mode & S_IFMT) == S_IFCHR && facts.rdev_major == PTMX_MAJOR && facts.rdev_minor == PTMX_MINOR;
}

static void forget_terminal(int at) {
  close_descriptor(terminals[at].side);
  copy(&terminals[at], &terminals[--terminal_count], sizeof terminals[0]);
}

/* A terminal that is gone has no links any more (devpts_pty_kill() of fs/devpts/inode.c). */
static void forget_gone_terminals(void) {
  static struct facts facts;
  for (int at = terminal_count - 1; at >= 0; at--) if (look_at(terminals[at].side, &facts) < 0 || facts.nlink == 0) forget_terminal(at);
  if (terminal_count == TERMINALS_MAXIMUM) forget_terminal(0);
}

/* Whoever asks a master for its number is about to open the other side by its name: remembered, and answered by the kernel. */
static long learn_terminal(void) {
  int number = -1;
  long master = take(request.arguments[0]);
  if (master < 0 || !is_master(master)) return CONTINUED;
  if (CALL(ioctl, master, TIOCGPTN, &number, 0, 0, 0) < 0) return CONTINUED;
  long side = keep(CALL(ioctl, master, TIOCGPTPEER, O_PATH | O_CLOEXEC, 0, 0, 0));
  long filters = inner_filters == 0 ? 0 : filters_of_caller();
  if (side < 0 || !is_waiting(request.id)) return CONTINUED;
  forget_gone_terminals();
  for (int at = 0; at < terminal_count; at++) if (terminals[at].number == number) return CONTINUED;
  terminals[terminal_count].number = number;
  terminals[terminal_count].filters = filters;
  terminals[terminal_count++].side = side;
  release(side);
  return CONTINUED;
}

/* Of the caller, as stat(5) has it in /proc (new_encode_dev() of include/linux/kdev_t.h); 0 for none. */
static long controlling_terminal(void) {
  const char *at = stat_of(request.tid);
  for (int blanks = 0; at && *at && blanks < 5; at++) if (*at == ' ') blanks++;
  return at ? parse_number(at, 0) : 0;
}

/*
 * The command of a nono inside has the terminals that were made there, and its own: the plan of that one names no others of those that programs around it
 * have made, and here it is not asked.
 */
static int is_kept_away(int terminal) {
  static struct facts facts;
  if (!may_be_inner()) return 0;
  long filters = filters_of_caller();
  if (filters > 0 && terminals[terminal].filters >= filters) return 0;
  if (look_at(terminals[terminal].side, &facts) < 0) return 1;
  return controlling_terminal() != (long)((facts.rdev_minor & 0xff) | facts.rdev_major << 8 | (facts.rdev_minor & ~0xffU) << 12);
}

static long give_terminal(long terminal, long flags) {
  long added = add_descriptor(terminal, flags & O_CLOEXEC, 1);
  if (added >= 0) return DEFERRED;
  /* Before 5.14 the descriptor and the answer are two steps. */
  return added == -EINVAL ? add_descriptor(terminal, flags & O_CLOEXEC, 0) : added;
}

/*
 * For opens to read and write without more. Only what a master inside belongs to is opened here; all else the kernel does, by
 * the rules: going on gives nothing.
 */
static long open_made_terminal(u64 path_address, long flags) {
  static char path[64];
  char link[64];
  const char *end;
  if (terminal_count == 0 || read_text(path_address, path, sizeof path) < 0 || !starts_with(path, "/dev/pts/")) return CONTINUED;
  long number = parse_number(path + 9, &end);
  if (number < 0 || *end != 0 || !may_act()) return CONTINUED;
  for (int at = 0; at < terminal_count; at++) {
    if (terminals[at].number != number || is_kept_away(at)) continue;
    name_descriptor(link, terminals[at].side);
    long terminal = keep(CALL(openat, AT_FDCWD, link, O_RDWR | (flags & O_NONBLOCK) | O_NOCTTY | O_CLOEXEC, 0, 0, 0));
    if (terminal >= 0) return give_terminal(terminal, flags);
  }
  return CONTINUED;
}

/* A terminal's other side, by its own master: no name of a terminal is taken from anybody. */
static long open_other_side(void) {
  long master = take(request.arguments[0]);
  if (master < 0) return master;
  if (!is_master(master) || !is_waiting(request.id)) return -ENOTTY;
  long flags = request.arguments[2];
  long terminal = keep(CALL(ioctl, master, TIOCGPTPEER, (flags & (O_ACCMODE | O_NONBLOCK)) | O_NOCTTY | O_CLOEXEC, 0, 0, 0));
  return terminal < 0 ? terminal : give_terminal(terminal, flags);
}

static long command_terminal(void) {
  u32 command = request.arguments[1];
  return command == TIOCGPTPEER ? open_other_side() : command == TIOCGPTN ? learn_terminal() : -ENOTTY;
}
