import type { Bytes } from '../bytes.ts';
import { displayBytes } from '../bytes.ts';
import { UsageError } from '../errors.ts';

const NAME_REGEXP = /^[A-Za-z0-9][A-Za-z0-9._-]*$/;
const NAME_LENGTH_MAXIMUM = 64;
const ID_REGEXP = /^[0-9a-f]{6}$/;
/** Where an ID is of what can be undone it means the newest. */
const LATEST = 'latest';

const QUALITIES = [
  'able',
  'amber',
  'blue',
  'bold',
  'brave',
  'brief',
  'bright',
  'brisk',
  'calm',
  'clear',
  'clever',
  'cool',
  'crisp',
  'deep',
  'early',
  'easy',
  'even',
  'fair',
  'fast',
  'fine',
  'firm',
  'fresh',
  'gentle',
  'glad',
  'golden',
  'good',
  'grand',
  'green',
  'happy',
  'keen',
  'kind',
  'late',
  'light',
  'lively',
  'lucky',
  'merry',
  'mild',
  'neat',
  'new',
  'noble',
  'open',
  'pale',
  'plain',
  'proud',
  'pure',
  'quick',
  'quiet',
  'rapid',
  'ready',
  'red',
  'rich',
  'round',
  'sharp',
  'shy',
  'silent',
  'silver',
  'smart',
  'soft',
  'solid',
  'still',
  'sunny',
  'swift',
  'warm',
  'wise',
] as const;

const THINGS = [
  'anchor',
  'apple',
  'arrow',
  'badge',
  'beacon',
  'birch',
  'bridge',
  'brook',
  'cedar',
  'cliff',
  'cloud',
  'comet',
  'coral',
  'crane',
  'dawn',
  'delta',
  'dune',
  'eagle',
  'ember',
  'fern',
  'field',
  'finch',
  'flame',
  'forest',
  'garden',
  'glade',
  'harbor',
  'hawk',
  'heron',
  'hill',
  'island',
  'lake',
  'lantern',
  'leaf',
  'maple',
  'meadow',
  'moon',
  'moss',
  'node',
  'oak',
  'ocean',
  'orbit',
  'otter',
  'peak',
  'pearl',
  'pine',
  'planet',
  'pond',
  'quartz',
  'rain',
  'reef',
  'ridge',
  'river',
  'robin',
  'shore',
  'sky',
  'spark',
  'spruce',
  'star',
  'stone',
  'stream',
  'tide',
  'valley',
  'wave',
] as const;

/** Random bytes as hex digits. */
export type RandomHex = (sizeBytes: number) => string;

/** Six hex digits. */
export function makeSessionId(random: RandomHex): string {
  return random(3);
}

/** Two words, such as `calm-node`. */
export function makeSessionName(random: RandomHex): string {
  const digits = Number.parseInt(random(2), 16);
  const quality = QUALITIES[digits % QUALITIES.length] ?? QUALITIES[0];
  const thing = THINGS[Math.floor(digits / QUALITIES.length) % THINGS.length] ?? THINGS[0];
  return `${quality}-${thing}`;
}

/**
 * A name that the user chose. One of six hex digits is refused, since it would read as another session's id, and so is `latest`, which means one.
 *
 * @throws {UsageError}
 */
export function checkSessionName(name: Bytes): string {
  if (NAME_REGEXP.test(name) && name.length <= NAME_LENGTH_MAXIMUM && !ID_REGEXP.test(name) && name !== LATEST) return name;
  throw new UsageError(`Cannot name a session "${displayBytes(name)}"`, {
    hint: `Use up to ${NAME_LENGTH_MAXIMUM} letters, digits, dots, dashes and underlines, a letter or a digit first, and neither the form of an id nor ${LATEST}`,
  });
}

export function isSessionId(text: string): boolean {
  return ID_REGEXP.test(text);
}
