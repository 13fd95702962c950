/* What is done for each entry of a node (ports/node-work.ts). */

enum { NODE_HEADER_BYTES = 8, PLACE_BYTES = ENTRY_BYTES - CHILD_AT };

/* @returns less than 0 when `a` comes before `b`, 0 when they are the same. */
static int compare_names(u8 *a, u32 a_length, u8 *b, u32 b_length) {
    u32 index;
    for (index = 0; index < a_length && index < b_length; index++)
        if (a[index] != b[index]) return (int)a[index] - (int)b[index];
    return (int)a_length - (int)b_length;
}

/* From the size to the device: all that entry.ts, isSameInodeState() compares, and nothing else, lies in between. */
static int is_same_state(u8 *a, u8 *b) {
    u32 at;
    for (at = SIZE_AT; at < LINKS_AT; at += 8)
        if (read_u64(a + at) != read_u64(b + at)) return 0;
    return 1;
}

static int match_entries(u8 *records, u8 *offsets, int count, u8 *node, u32 length, u8 *matches) {
    u32 at = NODE_HEADER_BYTES;
    int index;
    for (index = 0; index < count; index++) {
        u8 *record = records + ((u32 *)offsets)[index];
        int match = -1;
        while (match < 0 && at < length) {
            u8 *entry = node + at;
            int order;
            if (at + ENTRY_BYTES > length || at + ENTRY_BYTES + read_u16(entry + NAME_LENGTH_AT) > length) return at;
            order = compare_names(entry + ENTRY_BYTES, read_u16(entry + NAME_LENGTH_AT), record + ENTRY_BYTES, read_u16(record + NAME_LENGTH_AT));
            if (order > 0) break;
            if (order == 0) match = 2 * at + is_same_state(record, entry);
            at += ENTRY_BYTES + read_u16(entry + NAME_LENGTH_AT) + read_u16(entry + TARGET_LENGTH_AT);
        }
        ((int *)matches)[index] = match;
    }
    return -1;
}

enum { TOTAL_FILES = 0, TOTAL_ENTRIES = 1, TOTAL_SIZE = 2, TOTAL_REASONS = 3 };

static void add_to_totals(double *totals, u8 *entry) {
    totals[TOTAL_ENTRIES] += 1;
    if (entry[REASON_AT] != 0) totals[TOTAL_REASONS + entry[REASON_AT]] += 1;
    if (entry[KIND_AT] != 'f') return;
    totals[TOTAL_FILES] += 1;
    totals[TOTAL_SIZE] += (double)(i64)read_u64(entry + SIZE_AT);
}

/* node-edit.ts, writeMerkleInput() */
static int settle_entries(u8 *node, u32 length, u8 *places, u32 place_count, u8 *into, u8 *totals) {
    u8 *to = copy(into, (u8 *)"nono node 1\n", 12);
    u32 at = NODE_HEADER_BYTES;
    while (at < length) {
        u8 *entry = node + at;
        u32 name_length = read_u16(entry + NAME_LENGTH_AT);
        add_to_totals((double *)totals, entry);
        if (entry[KIND_AT] == 'd') {
            u64 number = read_u64(entry + CHILD_OFFSET_AT);
            if (number >= place_count) return -1;
            copy(entry + CHILD_AT, places + number * PLACE_BYTES, PLACE_BYTES);
        }
        if (entry[KIND_AT] != 's') {
            *to++ = entry[KIND_AT];
            to = copy(to, entry + MODE_AT, 4);
            to = copy(to, entry + ENTRY_BYTES, name_length);
            to = copy(to, entry + HASH_AT, HASH_BYTES);
        }
        at += ENTRY_BYTES + name_length + read_u16(entry + TARGET_LENGTH_AT);
    }
    return to - into;
}
