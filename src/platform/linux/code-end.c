static const u8 end_of_constants[8] = { 1 };
static u8 end_of_initialized[8] = { 1 };
/* The compiler puts what has no first value in the order of the text: this is the last. */
static u8 end_of_data[8];
static void end_of_code(void);

/*
 * Where the code to be called begins (ENTRY), and what the build has to know: in the order of Places of placed-code.ts. It is the one function that is not
 * static: a compiler may keep the addresses of others outside of what is copied.
 */
void *where(long what) {
  switch (what) {
    case 0: return (void *)ENTRY;
    case 1: return (void *)end_of_code;
    case 2: return (void *)start_of_constants;
    case 3: return (void *)(end_of_constants + sizeof end_of_constants);
    case 4: return start_of_data;
    case 5: return end_of_initialized + sizeof end_of_initialized;
    default: return end_of_data + sizeof end_of_data;
  }
}

/* The last of the code. */
static void end_of_code(void) {}
