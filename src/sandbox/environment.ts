import type { Bytes } from '../bytes.ts';

/**
 * Variables that make a loader, a shell or an interpreter run code or load files before the program's
 * own first line. A prefix ends with `*`.
 */
const HOOKS: readonly string[] = [
  'LD_*',
  'DYLD_*',
  'GCONV_PATH',
  'GLIBC_TUNABLES',
  'BASH_ENV',
  'ENV',
  'SHELLOPTS',
  'BASHOPTS',
  'PS4',
  'PROMPT_COMMAND',
  'BASH_FUNC_*',
  'NODE_OPTIONS',
  'NODE_REPL_EXTERNAL_MODULE',
  'ELECTRON_RUN_AS_NODE',
  'BUN_OPTIONS',
  'BUN_BE_BUN',
  'BUN_INSPECT*',
  'BUN_CONFIG_*',
  'PYTHONSTARTUP',
  'PYTHONINSPECT',
  'PYTHONBREAKPOINT',
  'PYTHONHOME',
  'PERL5OPT',
  'PERL5DB',
  'PERL5LIB',
  'PERLLIB',
  'RUBYOPT',
  'RUBYLIB',
  'JAVA_TOOL_OPTIONS',
  '_JAVA_OPTIONS',
  'JDK_JAVA_OPTIONS',
  'DOTNET_STARTUP_HOOKS',
  'CORECLR_PROFILER*',
  'CORECLR_ENABLE_PROFILING',
  'COR_PROFILER*',
  'COR_ENABLE_PROFILING',
  'LUA_INIT*',
  'R_PROFILE',
  'R_PROFILE_USER',
  'PHP_INI_SCAN_DIR',
  'PHPRC',
  'ERL_AFLAGS',
  'ERL_FLAGS',
  'ERL_ZFLAGS',
  'GUILE_LOAD_PATH',
  'JULIA_LOAD_PATH',
];

let hookCloseness: ((name: string) => number) | undefined;

/** A last word, after `_`, that says that the value is a credential. In any case of letters, as the next. */
const CREDENTIAL_WORDS: readonly string[] = [
  'TOKEN',
  'TOKENS',
  'KEY',
  'KEYS',
  'SECRET',
  'SECRETS',
  'APIKEY',
  // COMPOSER_AUTH, REDISCLI_AUTH and npm_config__auth hold tokens and passwords themselves.
  'AUTH',
  'AUTHTOKEN',
  'PASS',
  'PASSWD',
  'PASSPHRASE',
  'PAT',
  'CREDS',
  'CREDENTIAL',
  'CREDENTIALS',
];
/** Names that do not end in such words; PWD alone is a directory. */
const CREDENTIAL_NAMES: readonly string[] = ['MYSQL_PWD', 'SSHPASS', 'SECRET_KEY_BASE', 'DOCKER_AUTH_CONFIG'];
/** The same anywhere in a name. */
const CREDENTIAL_PART = 'PASSWORD';

/** The closeness of what fits a name nowhere. */
const UNNAMED = -1;

/** Other spellings of TMPDIR; one that points elsewhere would lead programs to a place that is not shared. */
const TEMPORARY_NAMES: readonly string[] = ['TMP', 'TEMP', 'TEMPDIR'];

/** What the command gets, and the names of what it does not get. */
export interface ScrubbedEnvironment {
  /** `NAME=VALUE`. */
  readonly entries: readonly Bytes[];
  /** Sorted; never with values. */
  readonly withheld: readonly Bytes[];
}

/** Which variables the command gets. */
export interface ScrubOptions {
  /** What passes whatever it looks like: names, or beginnings that end with `*`. */
  readonly passed: readonly string[];
  /** What does not pass, in the same form. Of the two that counts which fits a name more closely, and `passed` where they are the same. */
  readonly denied: readonly string[];
  /** Names and values that replace the caller's. */
  readonly set: ReadonlyMap<Bytes, Bytes>;
  readonly temporaryDirectory: Bytes;
}

/** Takes hooks and credentials out of the caller's environment and puts nono's own variables in. */
export function scrubEnvironment(caller: ReadonlyMap<Bytes, Bytes>, options: ScrubOptions): ScrubbedEnvironment {
  const { set, temporaryDirectory } = options;
  const passes = closeness(options.passed);
  const denies = closeness(options.denied);
  const kept = new Map<Bytes, Bytes>();
  const withheld: Bytes[] = [];
  for (const [name, value] of caller) {
    const [passed, denied] = [passes(name), denies(name)];
    const isNamed = passed > UNNAMED || denied > UNNAMED;
    // An empty value hooks nothing and betrays nothing.
    const isKept = isNamed ? passed >= denied : value === '' || !(isHook(name) || isCredential(name));
    if (isKept) kept.set(name, value);
    else if (!set.has(name)) withheld.push(name);
  }
  for (const name of TEMPORARY_NAMES) if (kept.has(name as Bytes)) kept.set(name as Bytes, temporaryDirectory);
  kept.set('TMPDIR' as Bytes, temporaryDirectory);
  for (const [name, value] of set) kept.set(name, value);
  return { entries: [...kept].map(([name, value]) => `${name}=${value}` as Bytes), withheld: withheld.toSorted() };
}

/** True for a variable that lets its value run code in a program that is started. */
export function isHook(name: string): boolean {
  hookCloseness ??= closeness(HOOKS);
  return hookCloseness(name) > UNNAMED;
}

/** True for a variable whose name says that its value is a secret. */
export function isCredential(name: string): boolean {
  const upper = name.toUpperCase();
  if (upper.includes(CREDENTIAL_PART) || CREDENTIAL_NAMES.includes(upper)) return true;
  return CREDENTIAL_WORDS.includes(upper.slice(upper.lastIndexOf('_') + 1));
}

/** How closely one of `entries` fits a name: most when it is the name itself, else by the length of a beginning that ends with `*`. */
function closeness(entries: readonly string[]): (name: string) => number {
  const exact = new Set<string>();
  const prefixes: string[] = [];
  for (const entry of entries) {
    if (entry.endsWith('*')) prefixes.push(entry.slice(0, -1));
    else exact.add(entry);
  }
  return (name) => {
    if (exact.has(name)) return Number.POSITIVE_INFINITY;
    let most = UNNAMED;
    for (const prefix of prefixes) if (prefix.length > most && name.startsWith(prefix)) most = prefix.length;
    return most;
  };
}
