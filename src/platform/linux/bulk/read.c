/* Reading the contents of files to store, many in one call. */

/* entry.ts, isSettled() */
static int is_settled(struct statx *state, double started_ms, double window_ms, double coarse_window_ms) {
    double changed_ms = (double)state->changed.seconds * 1000.0 + (double)state->changed.nanoseconds / 1000000.0;
    return started_ms - changed_ms > (state->changed.nanoseconds == 0 ? coarse_window_ms : window_ms);
}

/* The whole of a small, settled, regular file. @returns its length, -1 when it is anything else. */
static int read_small(int root, u8 *path, struct open_how *how, u8 *into, u32 room, double *clock, struct record *result) {
    struct statx state;
    long got, more;
    int length = -1;
    int file = call(CALL_openat2, root, (long)path, (long)how, sizeof *how, 0);
    if (file < 0) return -1;
    got = call(CALL_read, file, (long)into, room, 0, 0);
    more = call(CALL_statx, file, (long)"", EMPTY_PATH, BASIC_STATS, (long)&state);
    if (got >= 0 && more == 0 && (state.mode & FORMAT_MASK) == REGULAR && (u64)got == state.size && got < (long)room
        && is_settled(&state, clock[0], clock[1], clock[2])) {
        describe(result, &state);
        length = got;
    }
    call(CALL_close, file, 0, 0, 0, 0);
    return length;
}

/*
 * Reads the files whose paths follow one another in `paths`, each ended by NUL, for as long as `largest` bytes of room are left.
 *
 * clock: the time in ms, the window in ms within which a change may go unseen, and the same for coarse clocks.
 * @returns the number of files that were looked at.
 */
static int read_files(int root, u8 *paths, int count, u8 *how, u8 *into, u32 room, u32 largest, u8 *clock, u8 *extents, u8 *results) {
    struct extent *extent = (struct extent *)extents;
    struct record *result = (struct record *)results;
    u32 used = 0;
    int index;
    for (index = 0; index < count && room - used >= largest; index++) {
        int length = read_small(root, paths, (struct open_how *)how, into + used, largest, (double *)clock, result + index);
        extent[index].start = used;
        extent[index].length = length;
        if (length > 0) used += length;
        while (*paths != 0) paths++;
        paths++;
    }
    return index;
}
