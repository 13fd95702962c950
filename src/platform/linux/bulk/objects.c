/* Storing contents as objects, and taking them over from an earlier session. */

/* objects.ts, objectPath(): the hash in hex with a slash after two digits. */
static void name_object(u8 *path, u8 *hash) {
    static const char digits[] = "0123456789abcdef";
    int index;
    for (index = 0; index < 32; index++) {
        *path++ = digits[hash[index] >> 4];
        *path++ = digits[hash[index] & 15];
        if (index == 0) *path++ = '/';
    }
    *path = 0;
}

/* Creates the fan-out directory of an object. @returns 0 when it cannot be there. */
static int make_room(int objects, u8 *path) {
    long made;
    path[2] = 0;
    made = call(CALL_mkdirat, objects, (long)path, 0700, 0, 0);
    path[2] = '/';
    return made == 0 || made == -E_EXIST;
}

/* @returns 1 when the object is in `objects` now. */
static int link_object(int earlier, int objects, u8 *path) {
    long made = call(CALL_linkat, earlier, (long)path, objects, (long)path, 0);
    if (made == -E_NOENT && make_room(objects, path)) made = call(CALL_linkat, earlier, (long)path, objects, (long)path, 0);
    return made == 0 || made == -E_EXIST;
}

static int has_hash(u8 *hash) {
    int index;
    for (index = 0; index < 32; index++)
        if (hash[index] != 0) return 1;
    return 0;
}

enum { NOT_TAKEN_OVER = 1 };

/*
 * Takes over from `earlier` the contents of the files with a hash among the encoded entries (known-contents.ts).
 *
 * @returns the number of those that could not be, which are marked in their reason.
 */
static int link_known(int earlier, int objects, u8 *entries, u32 length) {
    u8 path[80];
    u32 at = 0;
    int left = 0;
    while (at + ENTRY_BYTES <= length) {
        u8 *entry = entries + at;
        at += ENTRY_BYTES + read_u16(entry + NAME_LENGTH_AT) + read_u16(entry + TARGET_LENGTH_AT);
        if (entry[KIND_AT] != 'f' || !has_hash(entry + HASH_AT)) continue;
        name_object(path, entry + HASH_AT);
        if (link_object(earlier, objects, path)) continue;
        entry[REASON_AT] = NOT_TAKEN_OVER;
        left++;
    }
    return left;
}

enum { CREATE_NEW = 01 | 0100 | 0200, CLOSE_ON_EXEC = 02000000 };

static int write_all(int file, u8 *data, int length) {
    while (length > 0) {
        long done = call(CALL_write, file, (long)data, length, 0, 0);
        if (done <= 0) return 0;
        data += done;
        length -= done;
    }
    return 1;
}

static int append_number(u8 *text, u32 number) {
    u8 digits[10];
    int count = 0, index;
    do {
        digits[count++] = '0' + number % 10;
        number /= 10;
    } while (number != 0);
    for (index = 0; index < count; index++) text[index] = digits[count - 1 - index];
    text[count] = 0;
    return count;
}

/* An object that nobody can find before its session is listed. @returns 1 when stored, 0 when it was there, -1 when it failed. */
static int store_in_place(int objects, u8 *path, u8 *data, int length) {
    int is_written;
    int file = call(CALL_openat, objects, (long)path, CREATE_NEW | CLOSE_ON_EXEC, 0400, 0);
    if (file == -E_NOENT && make_room(objects, path)) file = call(CALL_openat, objects, (long)path, CREATE_NEW | CLOSE_ON_EXEC, 0400, 0);
    if (file == -E_EXIST) return 0;
    if (file < 0) return -1;
    is_written = write_all(file, data, length);
    call(CALL_close, file, 0, 0, 0, 0);
    /* A part of a content must not stand under its name: the caller would take it for the whole. */
    if (!is_written) call(CALL_unlinkat, objects, (long)path, 0, 0, 0);
    return is_written ? 1 : -1;
}

/* An object of a listed session: complete when it gets its name. */
static int store_by_rename(int objects, u8 *path, u8 *temporary, u8 *data, int length) {
    struct statx state;
    long moved;
    int file, is_written;
    if (call(CALL_statx, objects, (long)path, NO_FOLLOW | NO_AUTOMOUNT, BASIC_STATS, (long)&state) == 0) return 0;
    file = call(CALL_openat, objects, (long)temporary, CREATE_NEW | CLOSE_ON_EXEC, 0400, 0);
    if (file < 0) return -1;
    is_written = write_all(file, data, length);
    call(CALL_close, file, 0, 0, 0, 0);
    moved = is_written ? call(CALL_renameat2, objects, (long)temporary, objects, (long)path, 0) : -1;
    if (moved == -E_NOENT && make_room(objects, path)) moved = call(CALL_renameat2, objects, (long)temporary, objects, (long)path, 0);
    if (moved == 0) return 1;
    call(CALL_unlinkat, objects, (long)temporary, 0, 0, 0);
    return -1;
}

/*
 * Stores what read_files() read and the caller hashed, by links from `earlier` where it holds a content (-1: there is none).
 *
 * prefix: of the temporary names of a listed session, ended by NUL; empty for one that is not listed. It has room for ten digits.
 * Where an object could not be stored its extent's length becomes -1: the caller tries again, and meets the error.
 * @returns the bytes that were newly stored.
 */
static double store_objects(int earlier, int objects, u8 *prefix, u32 first_number, u8 *data, u8 *extents, u8 *results, int count) {
    struct extent *extent = (struct extent *)extents;
    struct record *result = (struct record *)results;
    int prefix_length = 0, index, stored;
    double stored_bytes = 0;
    u8 path[80];
    while (prefix[prefix_length] != 0) prefix_length++;
    for (index = 0; index < count; index++) {
        if (extent[index].length < 0) continue;
        name_object(path, result[index].hash);
        if (earlier >= 0 && link_object(earlier, objects, path)) continue;
        if (prefix_length == 0) stored = store_in_place(objects, path, data + extent[index].start, extent[index].length);
        else {
            append_number(prefix + prefix_length, first_number + index);
            stored = store_by_rename(objects, path, prefix, data + extent[index].start, extent[index].length);
            prefix[prefix_length] = 0;
        }
        if (stored > 0) stored_bytes += extent[index].length;
        if (stored < 0) extent[index].length = -1;
    }
    return stored_bytes;
}
