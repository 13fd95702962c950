import bash from './completion/nono.bash' with { type: 'text' };
import fish from './completion/nono.fish' with { type: 'text' };
import zsh from './completion/nono.zsh' with { type: 'text' };

/**
 * What each shell reads to complete words of nono.
 *
 * All know nothing themselves and ask `nono __complete WORD…`, which answers with `:none`, `:files`, `:directories` or
 * `:command N` (another command begins with word N) in the first line, and in each further line a word, a tab and what it is.
 */
export const COMPLETION_SCRIPTS: ReadonlyMap<string, string> = new Map([
  ['bash', bash],
  ['zsh', zsh],
  ['fish', fish],
]);
