/* Listing a directory in one call, and what is done with what it holds (ports/node-work.ts). */

/* include/linux/dirent.h */
struct dirent64 {
    u64 inode, offset;
    u16 length;
    u8 type;
    u8 name[1];
};

enum { MOUNT_ROOT = 0x2000 };

/* ports/listing.ts, RECORD_KINDS; by the upper four bits of a mode. */
static u8 kind_of(u16 mode) {
    switch (mode >> 12) {
    case 1: return 'p';
    case 2: return 'c';
    case 4: return 'd';
    case 6: return 'b';
    case 10: return 'l';
    case 12: return 'k';
    default: return 'f';
    }
}

static int is_dot(u8 *name) {
    return name[0] == '.' && (name[1] == 0 || (name[1] == '.' && name[2] == 0));
}

static int is_before(u8 *records, u32 a, u32 b) {
    u32 a_length = ((struct record *)(records + a))->name_length;
    u32 b_length = ((struct record *)(records + b))->name_length;
    u8 *a_name = records + a + sizeof(struct record), *b_name = records + b + sizeof(struct record);
    u32 index;
    for (index = 0; index < a_length && index < b_length; index++)
        if (a_name[index] != b_name[index]) return a_name[index] < b_name[index];
    return a_length < b_length;
}

/* Restores the heap below `at`: each offset names a record that is not before those of its children. */
static void sift(u8 *records, u32 *offsets, int at, int count) {
    u32 moved = offsets[at];
    for (;;) {
        int child = 2 * at + 1;
        if (child >= count) break;
        if (child + 1 < count && is_before(records, offsets[child], offsets[child + 1])) child++;
        if (!is_before(records, moved, offsets[child])) break;
        offsets[at] = offsets[child];
        at = child;
    }
    offsets[at] = moved;
}

static void sort_by_name(u8 *records, u32 *offsets, int count) {
    int index;
    for (index = count / 2 - 1; index >= 0; index--) sift(records, offsets, index, count);
    for (index = count - 1; index > 0; index--) {
        u32 last = offsets[index];
        offsets[index] = offsets[0];
        offsets[0] = last;
        sift(records, offsets, 0, index);
    }
}

enum { NO_ROOM = -100000, NO_ROOM_FOR_NAMES = -100001, NOT_AT_REST = -100002 };
/* An entry with a name of 255 bytes. */
enum { DIRENT_BYTES_MAXIMUM = 280 };

static double changed_ms(struct statx *state) {
    return (double)state->changed.seconds * 1000.0 + (double)state->changed.nanoseconds / 1000000.0;
}

/* A file that has more names is looked at again: for each of them FUSE may hold another state, of before what was written by the other one (statAt() of file-calls.ts). */
static long state_of(int directory, u8 *name, struct statx *state) {
    long failed = call(CALL_statx, directory, (long)name, NO_FOLLOW | NO_AUTOMOUNT, BASIC_STATS, (long)state);
    if (failed < 0 || state->links < 2 || (state->mode & FORMAT_MASK) != REGULAR) return failed;
    return call(CALL_statx, directory, (long)name, NO_FOLLOW | NO_AUTOMOUNT | FORCE_SYNC, BASIC_STATS, (long)state);
}

/*
 * Writes a record for each entry of a directory into `records` and where they begin, sorted by name, into `offsets`. In one piece, as nobody
 * changes it while it is read; directory-names.ts says why.
 *
 * @returns the number of entries, NO_ROOM when they do not fit, NO_ROOM_FOR_NAMES when `entries` does not take all at once, NOT_AT_REST when the file
 * system gives more than one piece all the same or somebody changed the directory after `lately_ms`, or an errno negated.
 */
static int list_directory(
    int directory, u8 *entries, u32 entries_size, u8 *records, u32 room, u8 *offsets, int most, double lately_ms
) {
    u32 used = 0;
    int count = 0, pieces = 0;
    struct statx own;
    long filled = call(CALL_lseek, directory, 0, 0, 0, 0);
    if (filled < 0) return filled;
    while ((filled = call(CALL_getdents64, directory, (long)entries, entries_size, 0, 0)) > 0) {
        u8 *at;
        if (filled > (long)entries_size - DIRENT_BYTES_MAXIMUM) return NO_ROOM_FOR_NAMES;
        if (++pieces > 1) return NOT_AT_REST;
        for (at = entries; at < entries + filled; at += ((struct dirent64 *)at)->length) {
            u8 *name = ((struct dirent64 *)at)->name;
            struct record *record = (struct record *)(records + used);
            struct statx state;
            u64 *clear = (u64 *)record;
            long failed;
            u32 length = 0, index;
            if (is_dot(name)) continue;
            while (name[length] != 0) length++;
            /* Records are packed: a multiple of eight keeps their numbers aligned. */
            if (count == most || used + sizeof *record + length + 8 > room) return NO_ROOM;
            failed = state_of(directory, name, &state);
            if (failed == -E_NOENT) continue;
            if (failed < 0) return failed;
            for (index = 0; index < sizeof *record / sizeof *clear; index++) clear[index] = 0;
            describe(record, &state);
            record->kind = kind_of(state.mode);
            record->detail = (state.attributes & MOUNT_ROOT) != 0;
            record->name_length = length;
            for (index = 0; index < length; index++) ((u8 *)(record + 1))[index] = name[index];
            ((u32 *)offsets)[count++] = used;
            used += (sizeof *record + length + 7) & ~7u;
        }
    }
    if (filled < 0) return filled;
    filled = call(CALL_statx, directory, (long)"", EMPTY_PATH, BASIC_STATS, (long)&own);
    if (filled < 0) return filled;
    if (changed_ms(&own) >= lately_ms) return NOT_AT_REST;
    sort_by_name(records, (u32 *)offsets, count);
    return count;
}
