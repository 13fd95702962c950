/* Threads that the runtime does not know, which take contents over (linkers.ts): one of the runtime's takes 12 ms to begin. */

/* What is read from the queue: entries to take over. Each thread reads one at a time, and the kernel gives none to two. */
struct link_order {
    u64 entries;
    u32 length, number;
    int earlier, objects;
};
struct link_answer {
    u32 number;
    int left;
};

/* In the place of a number: the thread has ended. */
enum { LINKER_ENDED = -1 };

static int link_queue;
static int link_answers;

static void link_main(void) {
    struct link_order order;
    struct link_answer answer;
    while (call(CALL_read, link_queue, (long)&order, sizeof order, 0, 0) == sizeof order) {
        answer.number = order.number;
        answer.left = link_known(order.earlier, order.objects, (u8 *)order.entries, order.length);
        call(CALL_write, link_answers, (long)&answer, sizeof answer, 0, 0);
    }
    /* From here on it uses no descriptor. */
    answer.number = LINKER_ENDED;
    call(CALL_write, link_answers, (long)&answer, sizeof answer, 0, 0);
    for (;;) call(CALL_exit, 0, 0, 0, 0, 0);
}

/* @returns where such threads begin. */
static double link_prepare(int queue, int answers) {
    link_queue = queue;
    link_answers = answers;
    return (double)(long)link_main;
}
