/** Far above what nono nests in any document. */
const LEVELS_MAXIMUM = 64;

/**
 * True for a value that somebody nested deeper than nono does. To be asked before it is written again: JSON.stringify() goes as
 * deep as the stack does, and indented it takes time and room by the square of the depth.
 */
export function isTooDeep(value: unknown, levels = LEVELS_MAXIMUM): boolean {
  if (typeof value !== 'object' || value === null) return false;
  return levels === 0 || Object.values(value).some((child) => isTooDeep(child, levels - 1));
}
