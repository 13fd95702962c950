import type { Bytes } from '../bytes.ts';

/**
 * The values of a git config file by key, in the form `core.hooksPath` has in `git config --list`: section and
 * variable in lower case, the part between as it is. Includes are keys like all others.
 */
export function parseGitConfig(text: Bytes): Map<Bytes, Bytes[]> {
  const values = new Map<Bytes, Bytes[]>();
  let section = '';
  // A backslash at the end of a line takes the next one in.
  for (const line of text.replaceAll(/\\\r?\n/g, '').split(/\r?\n/)) {
    let rest = line.trimStart();
    const header = /^\[\s*([\w.-]+)(?:\s+"((?:[^"\\]|\\.)*)")?\s*\]/.exec(rest);
    if (header !== null) {
      const [whole, name = '', part] = header;
      section = part === undefined ? name.toLowerCase() : `${name.toLowerCase()}.${part.replaceAll(/\\(.)/g, '$1')}`;
      rest = rest.slice(whole.length).trimStart();
    }
    const variable = /^([A-Za-z][\w-]*)\s*(?:=\s*(.*))?$/.exec(rest);
    if (variable === null || section === '') continue;
    const key = `${section}.${(variable[1] ?? '').toLowerCase()}` as Bytes;
    const value = variable[2] === undefined ? ('true' as Bytes) : unquote(variable[2]);
    const known = values.get(key);
    if (known === undefined) values.set(key, [value]);
    else known.push(value);
  }
  return values;
}

const ESCAPES: Readonly<Record<string, string>> = { n: '\n', t: '\t', b: '\b' };

/** Takes quotes, escapes and comments away. */
function unquote(text: string): Bytes {
  let [value, isQuoted, kept] = ['', false, 0];
  for (let at = 0; at < text.length; at++) {
    const unit = text.charAt(at);
    if (unit === '"') isQuoted = !isQuoted;
    else if (unit === '\\') {
      at += 1;
      value += ESCAPES[text.charAt(at)] ?? text.charAt(at);
    } else if (!isQuoted && (unit === '#' || unit === ';')) break;
    else value += unit;
    if (isQuoted || !/\s/.test(unit)) kept = value.length;
  }
  return value.slice(0, kept) as Bytes;
}

/** Keys whose values git runs, or that lead it to other code, config or servers. */
const RUNNING_KEYS =
  /^(?:core\.(?:hookspath|fsmonitor|sshcommand|editor|pager|gitproxy|askpass|attributesfile|worktree|alternaterefscommand)|alias\..*|include\.path|includeif\..*|filter\..*\.(?:clean|smudge|process)|diff\.external|diff\..*\.(?:command|textconv)|(?:diff|merge)tool\..*\.(?:cmd|path)|merge\..*\.driver|credential\..*|gpg\.(?:.*\.)?program|sequence\.editor|uploadpack\.packobjectshook|remote\..*\.(?:url|pushurl|uploadpack|receivepack|vcs|proxy)|protocol\..*|url\..*|submodule\..*|interactive\.difffilter|pager\..*|(?:man|browser|web)\..*|trailer\..*|http\..*|init\.templatedir|hook\..*|instaweb\..*|sendemail\..*|safe\..*)$/;

/** Whether a key of a config file can make git run or fetch something else. */
export function isRunningKey(key: Bytes): boolean {
  return RUNNING_KEYS.test(key);
}
