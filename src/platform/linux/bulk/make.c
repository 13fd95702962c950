/* Making files out of objects. */

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
