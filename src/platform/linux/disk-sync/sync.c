/*
 * syncfs(2) in a thread that the runtime does not know: a thread of the runtime's takes 12 ms to begin. Numbers of calls (CALL_name) are defined by
 * whoever compiles it (load.ts).
 */
struct sync {
  /* assembly.ts: answers -errno. */
  long (*system)(long number, long a, long b, long c, long d, long e, long f);
  long descriptor;
  /* Takes the result, 8 bytes. */
  long tell;
};

static struct sync *next;

static void sync_main(void) {
  struct sync *sync = next;
  long result = sync->system(CALL_syncfs, sync->descriptor, 0, 0, 0, 0, 0);
  sync->system(CALL_write, sync->tell, (long)&result, sizeof result, 0, 0, 0);
  for (;;) sync->system(CALL_exit, 0, 0, 0, 0, 0, 0);
}

/* @returns where a thread for it begins; another may be prepared when that one has told its result. */
static void *sync_prepare(struct sync *sync) {
  next = sync;
  return (void *)sync_main;
}
