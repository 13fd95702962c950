import type { Instruction } from './bpf.ts';
import { NEWEST_ABI } from './landlock.ts';
import { encodeSeccomp, type SeccompTarget } from './seccomp.ts';
import type { Architecture } from './seccomp-uapi.ts';

/** Replaced by the build: encodeKnownFilters(). */
declare const NONO_FILTERS: string | undefined;

/** The oldest Landlock whose filters the build makes ahead of time: with it signals need no mediator. */
const FIRST_ABI = 6;
const WORDS_AN_INSTRUCTION = 4;

/** encodeSeccomp(), which takes a tenth of a start: what most runs ask for was assembled when nono was built. */
export function filterFor(target: SeccompTarget): readonly Instruction[] {
  const known = typeof NONO_FILTERS === 'string' ? findFilter(NONO_FILTERS, target) : undefined;
  return known ?? encodeSeccomp(target);
}

/** The filters of plans without sockets and questions, on the kernels of today: lines of a name and its numbers. */
export function encodeKnownFilters(architecture: Architecture): string {
  return knownTargets(architecture)
    .map((target) => `${nameOf(target)}=${encodeSeccomp(target).flat().join(',')}\n`)
    .join('');
}

export function knownTargets(architecture: Architecture): readonly SeccompTarget[] {
  const abis = Array.from({ length: NEWEST_ABI - FIRST_ABI + 1 }, (_, at) => FIRST_ABI + at);
  return abis.flatMap((abi) =>
    (['allowed', 'blocked'] as const).map((mode) => ({ network: { mode }, architecture, abi, mediator: 'own' as const })),
  );
}

/** @returns undefined for one that is not among `filters` (encodeKnownFilters()). */
export function findFilter(filters: string, target: SeccompTarget): readonly Instruction[] | undefined {
  const begin = `${nameOf(target)}=`;
  const at = filters.startsWith(begin) ? 0 : filters.indexOf(`\n${begin}`) + 1;
  if (at === 0 && !filters.startsWith(begin)) return undefined;
  const words = filters.slice(at + begin.length, filters.indexOf('\n', at)).split(',');
  const instructions: Instruction[] = [];
  for (let word = 0; word < words.length; word += WORDS_AN_INSTRUCTION)
    instructions.push([Number(words[word]), Number(words[word + 1]), Number(words[word + 2]), Number(words[word + 3])]);
  return instructions;
}

/** All that encodeSeccomp() looks at; ports are the mediator's. */
function nameOf({ network, architecture, abi, mediator, datagrams = false, asks = false }: SeccompTarget): string {
  return [network.mode, architecture, Math.min(abi, NEWEST_ABI), mediator, datagrams, asks].join('/');
}
