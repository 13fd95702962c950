/* By its place in FUNCTIONS of bulk-files.ts. */
static void *bulk_function(long which) {
    switch (which) {
    case 0: return (void *)bulk_set_up;
    case 1: return (void *)read_files;
    case 2: return (void *)store_objects;
    case 3: return (void *)list_directory;
    case 4: return (void *)read_objects;
    case 5: return (void *)make_files;
    case 6: return (void *)link_known;
    case 7: return (void *)match_entries;
    case 8: return (void *)settle_entries;
    default: return (void *)link_prepare;
    }
}
