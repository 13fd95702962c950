import type { Bytes } from '../bytes.ts';

export const REDACTED = '[redacted]' as Bytes;

/** Names of options and variables whose value is a credential. */
const SECRET_NAME_REGEXP =
  /(?:token|secret|password|passwd|passphrase|credential|api[-_]?key|access[-_]?key|private[-_]?key|authorization)s?$/i;
/** `--name=value`, `-name=value`, `NAME=value`. */
const ASSIGNMENT_REGEXP = /^(?<head>(?<name>-{0,2}[A-Za-z_][\w.-]*)=)(?<value>.+)$/s;
const OPTION_REGEXP = /^--?[A-Za-z][\w.-]*$/;
/** `scheme://user:password@` */
const USERINFO_REGEXP = /(?<head>\b[a-z][a-z0-9+.-]*:\/\/[^\s/:@]*:)[^\s/@]+(?=@)/gi;
/** `Authorization: Bearer …` and the like, as curl takes it. */
const HEADER_REGEXP = /(?<head>\b(?:authorization|x-api-key|private-token)\s*:\s*(?:(?:bearer|basic|token)\s+)?)\S+/gi;
/** Credentials that show by themselves what they are: GitHub, GitLab, Slack, AWS, Google, the usual AI providers, JWT. */
const KNOWN_REGEXP =
  /\b(?:gh[pousr]_\w{20,}|github_pat_\w{20,}|glpat-[\w-]{20,}|xox[abprs]-[\w-]{10,}|A(?:KIA|SIA)[A-Z0-9]{16}|AIza[\w-]{35}|sk-[\w-]{20,}|eyJ[\w-]{10,}\.[\w-]{10,}\.[\w-]*)/g;

/** The words of a command as an audit log may hold them: what is a credential by its name or its form is left out. */
export function redactCommand(words: readonly Bytes[]): readonly Bytes[] {
  return words.map((word, at) => (isValueOfSecretOption(words, at) ? REDACTED : redactWord(word)));
}

function isValueOfSecretOption(words: readonly Bytes[], at: number): boolean {
  const before = words[at - 1];
  return before !== undefined && OPTION_REGEXP.test(before) && SECRET_NAME_REGEXP.test(before) && !words[at]?.startsWith('-');
}

function redactWord(word: Bytes): Bytes {
  const { head, name = '' } = ASSIGNMENT_REGEXP.exec(word)?.groups ?? {};
  if (head !== undefined && SECRET_NAME_REGEXP.test(name)) return `${head}${REDACTED}` as Bytes;
  return word
    .replaceAll(USERINFO_REGEXP, `$<head>${REDACTED}`)
    .replaceAll(HEADER_REGEXP, `$<head>${REDACTED}`)
    .replaceAll(KNOWN_REGEXP, REDACTED) as Bytes;
}
