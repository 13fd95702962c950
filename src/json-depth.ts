/** Far above what nono nests in any document. */
const LEVELS_MAXIMUM = 64;

/**
 * True for a value that somebody nested deeper than nono does. To be asked before it is written again: JSON.stringify() goes as
 * deep as the stack does, and indented it takes time and room by the square of the depth.
 */
export function isTooDeep(value: unknown): boolean {
  return isObject(value) && isDeeperThan(value, LEVELS_MAXIMUM);
}

/**
 * Whether isTooDeep() can be true of what the text says: each level begins with a bracket. To count them is a matter of a microsecond, and there
 * may be a thousand records.
 */
export function mayBeTooDeep(text: string): boolean {
  return text.split('{').length + text.split('[').length - 2 > LEVELS_MAXIMUM;
}

/** Without a list of the values, which takes several times as long. */
function isDeeperThan(value: JsonObject, levels: number): boolean {
  if (levels === 0) return true;
  for (const key in value) {
    const child = value[key];
    if (isObject(child) && isDeeperThan(child, levels - 1)) return true;
  }
  return false;
}

type JsonObject = Readonly<Record<string, unknown>>;

function isObject(value: unknown): value is JsonObject {
  return typeof value === 'object' && value !== null;
}
