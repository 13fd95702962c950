/* Questions, and what is answered to them: each is told once, waits, and is carried out or forgotten. */

static long rights_of_session(u32 wanted) {
  u32 given = 0;
  for (int at = 0; at < rule_count; at++) {
    struct rule *rule = &rules[at];
    if (!(rule->access & ACCESS_TREE) && rule->length != named_bytes) continue;
    if (!is_beneath(named, named_bytes, rule->path, rule->length)) continue;
    if (!(rule->access & ACCESS_FORBIDDEN)) given |= rule->access;
    else if (rule->access & wanted) return -1;
  }
  return given;
}

/*
 * Before Linux 5.19 a signal that has a handler ends the wait, and the call is begun anew after it: the same question, which may have been answered meanwhile.
 */
static int repeats(struct asked *wish, long file) {
  for (int at = 0; at < asked_end; at++) {
    struct asked *entry = &asked[at];
    if ((entry->state != TOLD && entry->state != UNTOLD) || entry->tid != wish->tid || is_waiting(entry->waiting)) continue;
    if (entry->flags != wish->flags || entry->mode != wish->mode || entry->umask != wish->umask || entry->access != wish->access) continue;
    if (!are_equal(entry->name, wish->name, length_of(wish->name) + 1) || !are_same(entry->file, file)) continue;
    entry->waiting = request.id;
    entry->lost = 0;
    if (wish->socket < 0) return 1;
    close_descriptor(entry->socket);
    entry->socket = wish->socket;
    release(wish->socket);
    return 1;
  }
  return 0;
}

/* One word of whoever answers. @returns 0 when there is none. */
static int hears(void) {
  static u8 heard[MESSAGE_BYTES + 1];
  struct word *message = (struct word *)heard;
  if (configuration->asking == 0) return 0;
  long bytes = CALL(recvfrom, LISTENS, heard, MESSAGE_BYTES, MSG_DONTWAIT, 0, 0);
  if (bytes < (long)sizeof *message) return 0;
  if (message->kind == SAID_RULE) {
    long length = bytes - sizeof *message;
    if (rule_count == RULES_MAXIMUM || length <= 0 || length >= PATH_BYTES) return 1;
    struct rule *rule = &rules[rule_count++];
    rule->access = message->access;
    rule->length = length;
    for (long at = 0; at < length; at++) rule->path[at] = heard[sizeof *message + at];
    rule->path[length] = 0;
    return 1;
  }
  for (int at = 0; at < asked_end; at++) {
    struct asked *entry = &asked[at];
    if (entry->id == message->id && (entry->state == TOLD || entry->state == UNTOLD)) entry->result = message->kind == SAID_ALLOW ? 1 : 2;
  }
  return 1;
}

/* `file` is what is held; `name` what is to be made in it, or 0. `named` says what it is called now. */
static long ask(struct asked *wish, long file, const char *name) {
  u32 wanted = wish->access & (ACCESS_READ | ACCESS_WRITE | ACCESS_CONNECT);
  while (hears()) continue;
  long rights = rights_of_session(wanted);
  if (rights < 0) {
    report_refused(wish->access, REFUSED_RULE);
    return -EACCES;
  }
  wish->id = wish->waiting = request.id;
  wish->lost = 0;
  wish->tid = request.tid;
  wish->umask = caller_umask;
  wish->file = file;
  wish->result = 0;
  wish->name[0] = 0;
  if (name) append(wish->name, name);
  if ((rights & wanted) == wanted) return carry_out(wish);
  if (repeats(wish, file)) return DEFERRED;
  int at = 0;
  while (at < asked_end && asked[at].state != FREE) at++;
  if (at == ASKED_MAXIMUM) return refuse(wish->access, REFUSED_FULL);
  if (!is_waiting(request.id)) return -EPERM;
  if (at == asked_end) asked_end++;
  u8 *to = (u8 *)&asked[at], *from = (u8 *)wish;
  for (long byte = 0; byte < (long)sizeof *wish; byte++) to[byte] = from[byte];
  asked[at].state = UNTOLD;
  asked_count++;
  release(file);
  if (wish->socket >= 0) release(wish->socket);
  return DEFERRED;
}

static void let_go(struct asked *entry) {
  close_descriptor(entry->file);
  close_descriptor(entry->socket);
  entry->file = entry->socket = -1;
}

static void decide(struct asked *entry, int is_allowed) {
  long result = is_allowed ? carry_out(entry) : -EACCES;
  if (entry->access & ACCESS_CONNECT && result == DEFERRED) entry->file = entry->socket = -1;
  entry->result = result < 0 ? result : 0;
  if (result != DEFERRED) send_answer(entry->waiting, result);
  close_opened();
  let_go(entry);
  entry->state = DONE;
}

static int is_alive(u32 tid) {
  const char *facts = stat_of(tid);
  return facts && facts[1] != 'Z' && facts[1] != 'X';
}

/* Nothing waits, but may again in a moment: the answer stays with the question that long. */
static int is_interrupted(struct asked *entry) {
  if (is_waiting(entry->waiting)) return 0;
  if (entry->lost == 0) entry->lost = now();
  return now() - entry->lost < REPEATED_WITHIN_MS && is_alive(entry->tid);
}

/* Carries out what was said; not within another request, whose descriptors and numbers it would take. */
static void obey(void) {
  while (hears()) continue;
  for (int at = 0; at < asked_end; at++) {
    struct asked *entry = &asked[at];
    if (entry->state == TOLD && entry->result != 0 && !is_interrupted(entry)) decide(entry, entry->result == 1);
  }
}

static int has_untold(void) {
  if (outgoing_at < outgoing_end) return 1;
  for (int at = 0; at < asked_end; at++) if (asked[at].state != FREE && asked[at].state != TOLD) return 1;
  return 0;
}

/* Tells what has not been told yet, as far as it is taken. */
static void tell_asked(void) {
  for (int at = 0; at < asked_end && flush_outgoing(); at++) {
    struct asked *entry = &asked[at];
    if (entry->state == UNTOLD) {
      named_bytes = 0;
      name_file(entry->file, entry->name[0] ? entry->name : 0);
      if (!tell(TOLD_ASKED, entry, named, named_bytes)) return;
      entry->state = TOLD;
    } else if (entry->state == GONE || entry->state == DONE) {
      if (!tell(entry->state == GONE ? TOLD_GONE : TOLD_DONE, entry, 0, 0)) return;
      entry->state = FREE;
      asked_count--;
    }
  }
  while (asked_end > 0 && asked[asked_end - 1].state == FREE) asked_end--;
}

static void look_for_gone(void) {
  for (int at = 0; at < asked_end; at++) {
    struct asked *entry = &asked[at];
    if ((entry->state != TOLD && entry->state != UNTOLD) || is_waiting(entry->waiting) || is_interrupted(entry)) continue;
    let_go(entry);
    entry->state = entry->state == TOLD ? GONE : FREE;
    if (entry->state == FREE) asked_count--;
  }
}

static int prepare_asking(void) {
  long sizes[2];
  sizes[0] = ASKED_MAXIMUM * sizeof(struct asked);
  sizes[1] = RULES_MAXIMUM * sizeof(struct rule);
  long memory = CALL(mmap, 0, sizes[0] + sizes[1], PROT_DATA, MAP_MEMORY, -1, 0);
  if (memory < 0 && memory > -4096) return 0;
  asked = (struct asked *)memory;
  rules = (struct rule *)(memory + sizes[0]);
  return 1;
}
