typedef unsigned char u8;
typedef unsigned short u16;
typedef unsigned int u32;
typedef unsigned long u64;

/*
 * On a page of its own, with all that is written to behind it: what is before is executed and never written. These two and those of code-end.c tell the
 * build what to copy (placed-code.ts).
 */
static u8 start_of_data[8] __attribute__((aligned(4096))) = { 1 };
static const u8 start_of_constants[8] = { 1 };
