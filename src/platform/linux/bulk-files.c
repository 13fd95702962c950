/*
 * Many small files in one call: what the thread that stores contents would otherwise do with seven calls from JavaScript for
 * each. It holds no policy and no state but what bulk_set_up() was told, and whatever is not the plain case is left to the caller, which then does it the long way.
 *
 * Nothing is linked: system calls go through libc's syscall(), whose address comes with bulk_set_up(). Numbers of calls (CALL_name) are defined by whoever
 * compiles it (bulk-files.ts), as is O_DIRECTORY.
 */
typedef long long i64;

typedef long (*syscall_function)(long, long, long, long, long, long, long);
typedef int *(*errno_function)(void);

static syscall_function make_call;
static errno_function errno_location;
/* What the process takes from the mode of a file that it makes. */
static u32 mode_mask;
/* Whether files can be made without a name and given one when they are whole, as far as is known. */
static int can_name_later;

static void bulk_set_up(u8 *syscall_address, u8 *errno_address, u32 mask, int is_named_later) {
    make_call = (syscall_function)syscall_address;
    errno_location = (errno_function)errno_address;
    mode_mask = mask;
    can_name_later = is_named_later;
}

enum { E_NOENT = 2, E_INTR = 4, E_EXIST = 17 };

static long call(long number, long a, long b, long c, long d, long e) {
    for (;;) {
        long result = make_call(number, a, b, c, d, e, 0);
        if (result != -1) return result;
        if (*errno_location() != E_INTR) return -*errno_location();
    }
}

/* include/uapi/linux/openat2.h */
struct open_how {
    u64 flags;
    u64 mode;
    u64 resolve;
};

/* include/uapi/linux/stat.h */
struct statx_time {
    i64 seconds;
    u32 nanoseconds;
    u32 reserved;
};
struct statx {
    u32 mask, block_size;
    u64 attributes;
    u32 links, uid, gid;
    u16 mode, spare;
    u64 inode, size, blocks, attributes_mask;
    struct statx_time accessed, born, changed, modified;
    u32 rdevice_major, rdevice_minor, device_major, device_minor;
    u64 more[14];
};

enum { EMPTY_PATH = 0x1000, NO_FOLLOW = 0x100, NO_AUTOMOUNT = 0x800, BASIC_STATS = 0x7ff };
enum { FORMAT_MASK = 0170000, REGULAR = 0100000 };

/* The fixed part of a record of ports/listing.ts and of content-wire.ts. */
struct record {
    u8 kind, detail;
    u16 mode, name_length, target_length;
    u64 size;
    i64 modified_seconds;
    u32 modified_nanoseconds, changed_nanoseconds;
    i64 changed_seconds;
    u64 inode, device;
    u32 links, child_snapshot;
    u64 child_offset;
    u8 hash[32];
};

/* What became of one file: the start and length of its bytes, or a length of -1 when the caller has to see for itself. */
struct extent {
    u32 start;
    int length;
};

static void describe(struct record *into, struct statx *from) {
    into->mode = from->mode & 07777;
    into->size = from->size;
    into->modified_seconds = from->modified.seconds;
    into->modified_nanoseconds = from->modified.nanoseconds;
    into->changed_nanoseconds = from->changed.nanoseconds;
    into->changed_seconds = from->changed.seconds;
    into->inode = from->inode;
    into->device = ((u64)from->device_major << 20) + from->device_minor;
    into->links = from->links;
}

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

/* The entries of nodes are packed: their numbers are read byte by byte. */
static u32 read_u16(u8 *at) {
    return at[0] | (u32)at[1] << 8;
}

static int has_hash(u8 *hash) {
    int index;
    for (index = 0; index < 32; index++)
        if (hash[index] != 0) return 1;
    return 0;
}

enum { KIND_AT = 0, REASON_AT = 1, NAME_LENGTH_AT = 4, TARGET_LENGTH_AT = 6, HASH_AT = 72, NOT_TAKEN_OVER = 1 };

/*
 * Takes over from `earlier` the contents of the files with a hash among the encoded entries (known-contents.ts).
 *
 * @returns the number of those that could not be, which are marked in their reason.
 */
static int link_known(int earlier, int objects, u8 *entries, u32 length) {
    u8 path[80];
    u32 at = 0;
    int left = 0;
    while (at + sizeof(struct record) <= length) {
        u8 *entry = entries + at;
        at += sizeof(struct record) + read_u16(entry + NAME_LENGTH_AT) + read_u16(entry + TARGET_LENGTH_AT);
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

enum { NO_ROOM = -100000 };

/*
 * Writes a record for each entry of a directory into `records` and where they begin, sorted by name, into `offsets`.
 *
 * @returns the number of entries, NO_ROOM when they do not fit, or an errno negated.
 */
static int list_directory(int directory, u8 *entries, u32 entries_size, u8 *records, u32 room, u8 *offsets, int most) {
    u32 used = 0;
    int count = 0;
    long filled = call(CALL_lseek, directory, 0, 0, 0, 0);
    if (filled < 0) return filled;
    while ((filled = call(CALL_getdents64, directory, (long)entries, entries_size, 0, 0)) > 0) {
        u8 *at;
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
            failed = call(CALL_statx, directory, (long)name, NO_FOLLOW | NO_AUTOMOUNT, BASIC_STATS, (long)&state);
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
    sort_by_name(records, (u32 *)offsets, count);
    return count;
}

/* A file to make, as content-wire.ts has it. */
struct wanted {
    double modified_seconds;
    u32 modified_nanoseconds;
    u16 mode, reserved;
    u8 hash[32];
};

/* The whole of a small object. @returns its length, -1 when it is larger or cannot be read; what it holds the caller checks. */
static int read_object(int objects, u8 *path, struct open_how *how, u8 *into, u32 room) {
    long got;
    int file = call(CALL_openat2, objects, (long)path, (long)how, sizeof *how, 0);
    if (file < 0) return -1;
    got = call(CALL_read, file, (long)into, room, 0, 0);
    call(CALL_close, file, 0, 0, 0, 0);
    return got >= 0 && got < (long)room ? got : -1;
}

/* Reads the objects of the files that are wanted, as read_files() reads files. @returns the number that was looked at. */
static int read_objects(int objects, u8 *wanted_files, int count, u8 *how, u8 *into, u32 room, u32 largest, u8 *extents) {
    struct wanted *wanted = (struct wanted *)wanted_files;
    struct extent *extent = (struct extent *)extents;
    u8 path[80];
    u32 used = 0;
    int index;
    for (index = 0; index < count && room - used >= largest; index++) {
        name_object(path, wanted[index].hash);
        extent[index].start = used;
        extent[index].length = read_object(objects, path, (struct open_how *)how, into + used, largest);
        if (extent[index].length > 0) used += extent[index].length;
    }
    return index;
}

struct kernel_time {
    i64 seconds, nanoseconds;
};

enum { OMIT_TIME = 0x3ffffffe, NO_REPLACE = 1 };

enum { WITHOUT_NAME = 020000000 | O_DIRECTORY | 01, E_OPNOTSUPP = 95, E_INVAL = 22, E_ISDIR = 21 };

/* Makes `file` what is wanted but for its name. */
static int fill(int file, u8 *data, int length, struct wanted *wanted) {
    /* Not by initializers: the compiler would call memset(). */
    struct kernel_time times[2];
    times[0].seconds = 0;
    times[0].nanoseconds = OMIT_TIME;
    times[1].seconds = (i64)wanted->modified_seconds;
    times[1].nanoseconds = wanted->modified_nanoseconds;
    if (!write_all(file, data, length)) return 0;
    if ((wanted->mode & (~0777 | mode_mask)) != 0 && call(CALL_fchmod, file, wanted->mode, 0, 0, 0) != 0) return 0;
    return call(CALL_utimensat, file, 0, (long)times, 0, 0) == 0;
}

/*
 * A file that has no name before it is whole, so that nothing is left of it whatever happens. Linux gives it one from 6.10 on, before that to who may
 * read everything; file systems without such files say so.
 *
 * @returns its descriptor, -1 when it was not made.
 */
static int make_nameless(int parent, u8 *name, u8 *data, int length, struct wanted *wanted) {
    long named;
    int file = call(CALL_openat, parent, (long)".", WITHOUT_NAME | CLOSE_ON_EXEC, wanted->mode & 0777, 0);
    if (file == -E_OPNOTSUPP || file == -E_INVAL || file == -E_ISDIR) can_name_later = 0;
    if (file < 0) return -1;
    if (fill(file, data, length, wanted)) {
        named = call(CALL_linkat, file, (long)"", parent, (long)name, EMPTY_PATH);
        if (named == 0) return file;
        if (named == -E_NOENT) can_name_later = 0;
    }
    call(CALL_close, file, 0, 0, 0, 0);
    return -1;
}

/* The same by a temporary name. */
static int make_renamed(int parent, u8 *temporary, u8 *name, u8 *data, int length, struct wanted *wanted) {
    int file = call(CALL_openat, parent, (long)temporary, CREATE_NEW | CLOSE_ON_EXEC, wanted->mode & 0777, 0);
    if (file < 0) return -1;
    if (fill(file, data, length, wanted) && call(CALL_renameat2, parent, (long)temporary, parent, (long)name, NO_REPLACE) == 0) return file;
    call(CALL_unlinkat, parent, (long)temporary, 0, 0, 0);
    call(CALL_close, file, 0, 0, 0, 0);
    return -1;
}

/*
 * Describes a new file. What a directory gives to all that is made in it (an access control list) may have taken from the mode. Asked for once: chmod(2)
 * leaves out the set-group-id bit of a group that the caller is not in, and says nothing.
 *
 * @returns 0 when it cannot be told.
 */
static int describe_made(int file, struct wanted *wanted, struct record *into) {
    struct statx state;
    int is_asked;
    for (is_asked = 0;; is_asked = 1) {
        if (call(CALL_statx, file, (long)"", EMPTY_PATH, BASIC_STATS, (long)&state) != 0) return 0;
        if ((state.mode & 07777) == wanted->mode || is_asked) break;
        if (call(CALL_fchmod, file, wanted->mode, 0, 0, 0) != 0) return 0;
    }
    describe(into, &state);
    return 1;
}

static u8 *after_name(u8 *name) {
    while (*name != 0) name++;
    return name + 1;
}

/*
 * Makes files that are not there in one directory, out of what read_objects() read and the caller checked, and links their
 * contents into `undo`, unless that is -1: then they are there already. Names and temporary names follow one another, each ended by NUL.
 *
 * Where one could not be made its extent's length becomes -1 and nothing is left of it; the kind of its result is 1 when it was
 * made and its content linked, 0 when it was only made.
 */
static void make_files(int parent, u8 *temporaries, u8 *names, int count, u8 *data, u8 *extents, u8 *wanted_files, int objects, int undo,
                u8 *results) {
    struct wanted *wanted = (struct wanted *)wanted_files;
    struct extent *extent = (struct extent *)extents;
    struct record *result = (struct record *)results;
    u8 path[80];
    int index;
    for (index = 0; index < count; index++, temporaries = after_name(temporaries), names = after_name(names)) {
        int file = -1, is_described;
        int length = extent[index].length;
        u8 *content = data + extent[index].start;
        if (length < 0) continue;
        if (can_name_later) file = make_nameless(parent, names, content, length, wanted + index);
        if (file < 0 && !can_name_later) file = make_renamed(parent, temporaries, names, content, length, wanted + index);
        if (file < 0) {
            extent[index].length = -1;
            continue;
        }
        is_described = describe_made(file, wanted + index, result + index);
        call(CALL_close, file, 0, 0, 0, 0);
        if (!is_described) continue;
        name_object(path, wanted[index].hash);
        result[index].kind = undo < 0 || link_object(objects, undo, path);
    }
}

/* By its place in FUNCTIONS of bulk-files.ts. */
static void *bulk_function(long which) {
    switch (which) {
    case 0: return (void *)bulk_set_up;
    case 1: return (void *)read_files;
    case 2: return (void *)store_objects;
    case 3: return (void *)list_directory;
    case 4: return (void *)read_objects;
    case 5: return (void *)make_files;
    default: return (void *)link_known;
    }
}
