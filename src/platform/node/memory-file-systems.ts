/** include/uapi/linux/magic.h: tmpfs, and what a kernel has in its place that was built without it. */
const IN_MEMORY: ReadonlySet<number> = new Set([0x01021994, 0x858458f6]);

/** @param type What statfs(2) tells of a file system. */
export function isInMemory(type: number): boolean {
  return IN_MEMORY.has(type);
}
