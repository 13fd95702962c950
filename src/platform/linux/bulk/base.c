/*
 * Many small files in one call: what the thread that stores contents would otherwise do with seven calls from JavaScript for
 * each. It holds no policy and no state but what bulk_set_up() was told, and whatever is not the plain case is left to the caller, which then does it the long way.
 *
 * It uses no library, so that threads that the runtime does not know can run it (link.c). Numbers of calls (CALL_name) are defined by whoever
 * compiles it (bulk-files.ts), as is O_DIRECTORY.
 */
typedef long long i64;

/* The system call itself (assembly.ts). Answers -errno. */
typedef long (*system_call)(long number, long a, long b, long c, long d, long e, long f);
static system_call system;
/* What the process takes from the mode of a file that it makes. */
static u32 mode_mask;
/* Whether files can be made without a name and given one when they are whole, as far as is known. */
static int can_name_later;
/* Whose the files are that it makes. */
static u32 own_user, own_group;

static void bulk_set_up(u8 *system_address, u32 mask, int is_named_later, u32 user, u32 group) {
    system = (system_call)system_address;
    mode_mask = mask;
    can_name_later = is_named_later;
    own_user = user;
    own_group = group;
}

enum { E_NOENT = 2, E_INTR = 4, E_EXIST = 17 };

static long call(long number, long a, long b, long c, long d, long e) {
    for (;;) {
        long result = system(number, a, b, c, d, e, 0);
        if (result != -E_INTR) return result;
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

enum { EMPTY_PATH = 0x1000, NO_FOLLOW = 0x100, NO_AUTOMOUNT = 0x800, FORCE_SYNC = 0x2000, BASIC_STATS = 0x7ff };
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

/* own-mode.ts, ownMode() */
static u16 own_mode(struct statx *state) {
    u16 mode = state->mode & 07777;
    if ((state->mode & FORMAT_MASK) != REGULAR) return mode;
    if (state->uid != own_user) mode &= ~04000;
    if (state->gid != own_group) mode &= ~02000;
    return mode;
}

static void describe(struct record *into, struct statx *from) {
    into->mode = own_mode(from);
    into->size = from->size;
    into->modified_seconds = from->modified.seconds;
    into->modified_nanoseconds = from->modified.nanoseconds;
    into->changed_nanoseconds = from->changed.nanoseconds;
    into->changed_seconds = from->changed.seconds;
    into->inode = from->inode;
    into->device = ((u64)from->device_major << 20) + from->device_minor;
    into->links = from->links;
}

/* The entries of nodes are packed: where their fields are, and their numbers wherever they are. */
enum {
    KIND_AT = 0, REASON_AT = 1, MODE_AT = 2, NAME_LENGTH_AT = 4, TARGET_LENGTH_AT = 6, SIZE_AT = 8, LINKS_AT = 56,
    CHILD_AT = 60, CHILD_OFFSET_AT = 64, HASH_AT = 72, ENTRY_BYTES = 104, HASH_BYTES = 32
};
struct anywhere {
    u64 number;
} __attribute__((packed));

static u32 read_u16(u8 *at) {
    return at[0] | (u32)at[1] << 8;
}

static u64 read_u64(u8 *at) {
    return ((struct anywhere *)at)->number;
}

static u8 *copy(u8 *into, u8 *from, u32 length) {
    for (; length >= 8; length -= 8, into += 8, from += 8) ((struct anywhere *)into)->number = read_u64(from);
    while (length-- > 0) *into++ = *from++;
    return into;
}
