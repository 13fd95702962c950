import { choice, flag, text, texts, textTable } from './kinds.ts';
import type { Schema } from './schema.ts';

/** What a path of a profile begins with: it is absolute, or becomes so by what is put in for its beginning. */
const PATH_REGEXP = /^(?:\/|~(?:\/|$)|\$(?:HOME|WORKDIR|TMPDIR)(?:\/|$)|\$\{[A-Za-z_][A-Za-z0-9_]*:-(?:~|\/)[^{}$]*\}(?:\/|$))/;
const NAME_REGEXP = /^[A-Za-z_][A-Za-z0-9_]*\*?$/;
const SET_NAME_REGEXP = /^[A-Za-z_][A-Za-z0-9_]*$/;

function isPath(path: string): boolean {
  return PATH_REGEXP.test(path) && !path.includes('\0');
}

function paths(doc: string, example = '["~/data"]') {
  return texts({
    doc,
    example,
    expects: 'paths that begin with /, ~, $HOME, $WORKDIR, $TMPDIR or ${NAME:-~/else}',
    isGood: isPath,
  });
}

function names(doc: string, example: string) {
  return texts({
    doc,
    example,
    expects: 'names of variables, such as "API_KEY" or "AWS_*"',
    isGood: (name) => NAME_REGEXP.test(name),
  });
}

function patterns(doc: string, example: string) {
  return texts({
    doc,
    example,
    expects: 'texts of one line that are not empty',
    isGood: (line) => /^[^\n\r\0]*\S[^\n\r\0]*$/.test(line),
  });
}

/** Every key of a profile, by table; '' has those before the first header. */
export const PROFILE_SCHEMA = {
  '': {
    description: text({ fallback: undefined, example: '"My agent"', doc: 'One line for `nono profile list`' }),
    extends: texts({
      doc: 'Profiles that this one adds to: names, or paths from the directory of this file; the last one counts',
      example: '["node-dev"]',
      expects: 'names or paths of profiles',
      isGood: (name) => name.trim() !== '',
      allowsOne: true,
    }),
    ask: flag({ fallback: undefined, example: 'true', doc: 'An open outside the grants waits for you instead of failing' }),
  },
  workdir: {
    access: choice({
      choices: ['none', 'read', 'write', 'readwrite'],
      doc: 'What the command needs of the working directory; nono asks before it shares it, --allow-cwd says yes in advance',
    }),
  },
  filesystem: {
    allow: paths('Directories to read and write'),
    read: paths('Directories to read'),
    write: paths('Directories to write, not to read'),
    create: paths(
      'Directories to read and write, which nono makes (0700) where they are missing',
      '["${XDG_CACHE_HOME:-~/.cache}/tool"]',
    ),
    allow_file: paths(
      'Files to read and write; a program that replaces one by another file needs its directory',
      '["~/.tool.json"]',
    ),
    read_file: paths('Files to read', '["~/.tool.json"]'),
    write_file: paths('Files to write, not to read', '["~/tool.log"]'),
    allow_socket: paths('Sockets to connect to, or directories of them', '["/run/postgresql"]'),
    create_file: textTable({
      doc: 'Files to read and write, which nono makes (0600) with the text given where they are missing',
      example: '{ "~/.tool.json" = "{}" }',
      expects: 'texts, by paths that begin with /, ~, $HOME or ${NAME:-~/else}',
      isGood: isPath,
    }),
    override_deny: paths('Sensitive places that the paths above may open', '["~/.ssh/id_deploy"]'),
  },
  network: {
    block: choice({
      choices: ['loopback', true, false],
      doc: 'Whether the command has no network, or only TCP within this machine',
    }),
  },
  environment: {
    allow_vars: names('Variables that pass although they look like credentials or hooks', '["TOOL_API_KEY"]'),
    deny_vars: names('Variables that are withheld; where both lists name one, the closer word counts', '["AWS_*"]'),
    set_vars: textTable({
      doc: 'Variables that the command gets; paths in them may begin as those above',
      example: '{ TOOL_HOME = "~/.tool" }',
      expects: 'names of variables and texts',
      isGood: (name) => SET_NAME_REGEXP.test(name),
    }),
  },
  rollback: {
    exclude_patterns: patterns(
      'What is left out of snapshots, in the syntax of .gitignore; !name takes out of an exclusion',
      '["/build/", "!target"]',
    ),
    exclude_globs: patterns('The same as shell globs, of names or, with a slash, of paths below the root', '["*.log"]'),
    track: paths('What of the writable paths above is tracked beside the working directory', '["~/data"]'),
  },
} as const satisfies Schema;
