import type { Bytes } from '../bytes.ts';
import { isWithin, parentPath, resolvePath } from '../paths.ts';
import type { Change } from './compare.ts';
import type { Entry } from './entry.ts';

/** A change that may run something later, outside any sandbox, without anybody starting it by name. */
export interface Trap {
  readonly path: Bytes;
  /** For people: when it runs. */
  readonly reason: string;
}

/** Reads a file of a change, undefined when there is none or it is too large to be what it is taken for. */
export type ReadSide = (change: Change, side: 'before' | 'after') => Bytes | undefined;

const SHELL = 'a shell runs it when it starts';
const GIT = 'git runs what it names';
const EDITOR = 'an editor runs what it names when the project is opened';
const CI = 'the CI system runs what it names, with its secrets';
const BUILD = 'the next build runs it';
const TESTS = 'the next test run loads it';
const PACKAGES = 'the package manager takes orders from it';
const AGENT = 'an agent that is started here takes orders from it';
const LOGIN = 'it is started at the next login';
const SSH = 'it decides who can log in, or what ssh runs';

/** What a path is, by its end. The first that fits counts. */
const KINDS: readonly (readonly [pattern: RegExp, reason: string])[] = [
  [/\/\.envrc$/, 'direnv runs it when a shell enters the directory'],
  [
    /\/\.(?:mise|rtx)\.toml$|\/mise\.toml$|\/\.tool-versions$/,
    'the version manager takes orders from it when a shell enters the directory',
  ],
  [
    /\/\.(?:bashrc|bash_profile|bash_login|bash_logout|bash_aliases|profile|zshrc|zshenv|zprofile|zlogin|zlogout|kshrc|cshrc|tcshrc|login|inputrc)$/,
    SHELL,
  ],
  [/\/\.config\/fish\/(?:config\.fish|conf\.d\/|functions\/)/, SHELL],
  [
    /\/\.config\/(?:autostart|systemd\/user|environment\.d)\/|\/Library\/LaunchAgents\/|\/\.(?:xinitrc|xprofile|xsession|xsessionrc|pam_environment)$/,
    LOGIN,
  ],
  [/\/\.ssh\//, SSH],
  [/\/\.gitconfig$|\/\.config\/git\/config$|\/\.gitattributes$|\/\.gitmodules$|\/\.config\/git\/attributes$/, GIT],
  [/\/\.(?:husky|githooks)\/|\/(?:\.?lefthook(?:-local)?\.ya?ml|\.pre-commit-config\.yaml)$/, 'git runs it as a hook'],
  [
    /\/\.vscode\/(?:tasks|settings|launch|extensions|mcp)\.json$|\.code-workspace$|\/\.idea\/|\.iml$|\/\.zed\/|\/\.fleet\/|\/\.devcontainer(?:\/|\.json$)|\/\.dir-locals\.el$|\/\.(?:n?vimrc|exrc|nvim\.lua|emacs|editorconfig\.lua)$|\/\.sublime-project$/,
    EDITOR,
  ],
  [
    /\/\.(?:claude|cursor|codex|gemini|opencode|continue|aider[^/]*)(?:\/|$)|\/(?:\.mcp\.json|opencode\.jsonc?|\.cursorrules|AGENTS\.md|CLAUDE\.md|GEMINI\.md)$/,
    AGENT,
  ],
  [
    /\/\.github\/(?:workflows|actions)\/|\/\.gitlab-ci\.yml$|\/\.gitlab\/|\/\.circleci\/|\/\.buildkite\/|\/\.woodpecker(?:\/|\.ya?ml$)|\/(?:Jenkinsfile|azure-pipelines\.ya?ml|\.travis\.yml|\.drone\.yml|bitbucket-pipelines\.yml|appveyor\.yml|\.appveyor\.yml|\.cirrus\.yml|cloudbuild\.ya?ml|\.forgejo\/workflows\/.*|\.gitea\/workflows\/.*)$/,
    CI,
  ],
  [
    /\/(?:GNUmakefile|[Mm]akefile|[Jj]ustfile|\.justfile|Rakefile|Taskfile\.ya?ml|CMakeLists\.txt|meson\.build|configure|build\.rs|setup\.py|SConstruct|wscript|gradlew|gradlew\.bat|mvnw|build\.gradle(?:\.kts)?|settings\.gradle(?:\.kts)?|pom\.xml|Dockerfile|Containerfile|(?:docker-)?compose\.ya?ml|Vagrantfile|BUILD(?:\.bazel)?|WORKSPACE|MODULE\.bazel|build\.zig|Package\.swift|binding\.gyp)$|\.(?:mk|mak|cmake)$|\/\.cargo\/config(?:\.toml)?$/,
    BUILD,
  ],
  [
    /\/(?:conftest\.py|sitecustomize\.py|usercustomize\.py)$|\.pth$|\/(?:jest|vitest|vite|webpack|rollup|babel|eslint|karma|playwright|cypress|next|nuxt|tailwind|postcss)\.config\.[cm]?[jt]s$|\/\.(?:eslintrc|babelrc|mocharc)\.[cm]?js$/,
    TESTS,
  ],
  [
    /\/(?:\.npmrc|\.yarnrc(?:\.yml)?|\.pnpmfile\.c?js|bunfig\.toml|pip\.conf|\.pypirc|\.condarc|\.gemrc|\.bundle\/config)$|\/\.yarn\/(?:plugins|releases)\//,
    PACKAGES,
  ],
];

const MANIFEST_REGEXP = /\/package\.json$/;
/** What of a package.json runs without being asked for by name, or under a name that everybody uses. */
const RUNNING_FIELDS = ['scripts', 'bin', 'husky', 'lint-staged', 'gypfile'] as const;

/** The traps among the changes of a session, in their order. */
export function findTraps(changes: readonly Change[], read: ReadSide): Trap[] {
  const traps: Trap[] = [];
  for (const change of changes) {
    const reason = reasonOf(change, read);
    if (reason !== undefined) traps.push({ path: change.path, reason });
  }
  return traps;
}

function reasonOf(change: Change, read: ReadSide): string | undefined {
  const { path, root, type, before, after } = change;
  if (type === '-' || type === 'm' || after === undefined || after.kind === 'directory' || after.kind === 'skipped')
    return undefined;
  const special = specialBits(before, after);
  if (special !== undefined) return special;
  if (type !== 'p') {
    const kind = KINDS.find(([pattern]) => pattern.test(path));
    if (kind !== undefined) return kind[1];
    if (MANIFEST_REGEXP.test(path)) return packageReason(read(change, 'before'), read(change, 'after'));
    if (after.kind === 'symlink') return linkReason(path, root, after);
  }
  return executableReason(before, after);
}

function specialBits(before: Entry | undefined, after: Entry): string | undefined {
  if (after.kind !== 'file') return undefined;
  const gained = after.mode & ~(before?.mode ?? 0);
  if ((gained & 0o4000) !== 0) return 'it runs with the rights of its owner (setuid)';
  return (gained & 0o2000) !== 0 && (after.mode & 0o010) !== 0 ? 'it runs with the rights of its group (setgid)' : undefined;
}

function executableReason(before: Entry | undefined, after: Entry): string | undefined {
  if (after.kind !== 'file' || (after.mode & 0o111) === 0) return undefined;
  if (before === undefined) return 'a new program';
  if (before.kind !== 'file' || (before.mode & 0o111) === 0) return 'became a program';
  return before.hash === after.hash ? undefined : 'a program that was changed';
}

/** Whoever writes through such a link writes somewhere else. */
function linkReason(path: Bytes, root: Bytes, { target }: Entry): string | undefined {
  return isWithin(resolvePath(parentPath(path), target), root) ? undefined : 'a link that leads out of the directory';
}

function packageReason(before: Bytes | undefined, after: Bytes | undefined): string | undefined {
  const now = parsePackage(after);
  const old = before === undefined ? {} : parsePackage(before);
  if (now === undefined) return 'its scripts cannot be read';
  const isChanged = (field: string) => JSON.stringify(now[field]) !== JSON.stringify(old?.[field]);
  return RUNNING_FIELDS.some(isChanged) ? 'its scripts were changed: npm runs them, some at install' : undefined;
}

function parsePackage(text: Bytes | undefined): Readonly<Record<string, unknown>> | undefined {
  if (text === undefined) return undefined;
  try {
    const document: unknown = JSON.parse(
      Buffer.from(text, 'latin1')
        .toString('utf8')
        .replace(/^\ufeff/, ''),
    );
    return typeof document === 'object' && document !== null ? (document as Record<string, unknown>) : undefined;
  } catch (error) {
    if (error instanceof SyntaxError) return undefined;
    throw error;
  }
}
