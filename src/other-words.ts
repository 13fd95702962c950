/**
 * What is written for the nono in Rust, and the verbs that docker, tmux, git and restic have for the same things, where they
 * mean nothing here: each with the way to say it. Options that mean the same are in the tables of the verbs, as aliases and
 * short forms.
 */

const NO_PROXY =
  'There is no proxy here and no filter by names: limit a command by port with `--allow-port 443`, or with `--block-net`';
const NO_KEYSTORE = 'No credential is injected here: set the variable and pass it with `--env NAME`, or use --env-file FILE';
const NO_ATTESTATION = 'Nothing is signed or attested here: leave it out';
const NO_COMMAND_LIST = 'No command is blocked by its name here, what it may touch is: leave it out and see `nono run --dry-run`';

const GO_THERE = 'Go there first: `cd DIR && nono …`';
const OWN_TERMINAL = 'A command called on a terminal gets one of its own: leave it out';

/** By the long name, with its dashes, or the short form. */
const OPTIONS: Readonly<Record<string, string>> = {
  '--allow-bind-port': 'Use --allow-bind PORT',
  '--allow-command': NO_COMMAND_LIST,
  '--allow-domain': NO_PROXY,
  '--allow-endpoint': NO_PROXY,
  '--allow-gpu': 'Share the devices with `--allow /dev/dri`, and with --allow-file for each other device',
  '--allow-host': NO_PROXY,
  '--allow-launch-services': 'A command cannot open other programs of macOS here: log in outside the sandbox first',
  '--allow-proxy': NO_PROXY,
  '--block-command': NO_COMMAND_LIST,
  '--cwd': GO_THERE,
  '--config': 'The configuration is found by XDG_CONFIG_HOME: see `nono config path`',
  '--credential': NO_KEYSTORE,
  '--env-credential': NO_KEYSTORE,
  '--env-credential-map': NO_KEYSTORE,
  '--external-proxy': NO_PROXY,
  '--host': 'Names of hosts are not looked at here: see what is left of the network with `nono run --dry-run`',
  '--listen-port': 'Use --allow-bind PORT, which leaves the command only the ports that are named',
  '--net-profile': NO_PROXY,
  '--network-profile': NO_PROXY,
  '--no-audit': 'The audit log of a session is always kept: remove it with `nono prune`',
  '--no-diagnostics': 'What a command that failed was denied is listed after it: use --silent',
  '--open-port': 'Use --block-net=loopback for TCP within this machine, or --allow-port PORT --allow-bind PORT',
  '--profiles': 'Write one with `nono profile init NAME --extends PROFILE`',
  '--proxy-credential': NO_KEYSTORE,
  '--proxy-port': NO_PROXY,
  '--secrets': NO_KEYSTORE,
  '--self': 'Ask outside the sandbox, with the options of the run: `nono why PATH --profile NAME`',
  '--shell': 'Use the variable: SHELL=/bin/zsh nono shell',
  '--shell-integration': 'See `nono completion --help`',
  '--skip-dir': 'Use --rollback-exclude NAME',
  '--theme': 'There is one set of colours here, for light and dark backgrounds; NO_COLOR=1 switches it off',
  '--trust-override': NO_ATTESTATION,
  '--upstream-bypass': NO_PROXY,
  '--upstream-proxy': NO_PROXY,
  '--rm': 'A session that has ended is only a record, which `nono prune` removes: leave it out',
  '--tty': OWN_TERMINAL,
  '--workdir': GO_THERE,
  '-C': GO_THERE,
  '-d': 'Use --detached',
  '-i': OWN_TERMINAL,
  '-it': OWN_TERMINAL,
  '-t': OWN_TERMINAL,
  '-c': 'The configuration is found by XDG_CONFIG_HOME: see `nono config path`',
  '-vv': 'There is one level of detail here: -v',
  '-vvv': 'There is one level of detail here: -v',
};

const ATTACH = 'Use `nono attach ID`';
const CLEANUP = 'Use `nono rollback cleanup`';
const LIST = 'See `nono rollback list`';
const PS = 'See `nono ps`';
const RUN = 'Use `nono run -- COMMAND`, with --detached to leave it in the background';
const UNDO = 'Use `nono rollback restore ID`, with --dry-run to see first what it would do';
const UPDATE = 'nono has no network connection of its own: run install.sh of the newer release';

const VERBS: Readonly<Record<string, string>> = {
  'profile diff': 'Compare `nono profile show A` with `nono profile show B`',
  'profile groups': 'There are no groups here: profiles extend each other, see `nono profile show NAME`',
  'profile guide': '`nono profile init NAME` writes one with every key explained',
  'profile schema': '`nono profile init NAME` writes one with every key explained',
  'rollback delete': CLEANUP,
  'rollback diff': 'See it with `nono rollback show ID --diff`',
  'rollback forget': CLEANUP,
  'rollback prune': CLEANUP,
  'rollback rm': CLEANUP,
  'rollback snapshots': LIST,
  'rollback status': LIST,
  'rollback undo': UNDO,
  a: ATTACH,
  checkpoint: 'Use `nono rollback checkpoint ID`',
  cleanup: 'Use `nono rollback cleanup` for what can be undone, `nono prune` for the records of ended sessions',
  create: RUN,
  diff: 'See what a session changed with `nono rollback show ID --diff`',
  exec: RUN,
  history: 'See `nono ps --all` for sessions, `nono rollback list` for what can be undone',
  join: ATTACH,
  kill: 'Use `nono stop ID`, with --force where it does not listen',
  learn:
    'See what a profile gives with `nono run --dry-run --profile NAME -- COMMAND`, and why something is refused with `nono why PATH`',
  list: PS,
  new: RUN,
  policy: 'See `nono profile list` and `nono profile show NAME`',
  proxy: NO_PROXY,
  pull: 'Profiles are files in ~/.config/nono/profiles: copy them there',
  restore: UNDO,
  resume: ATTACH,
  review: 'Use `nono rollback review ID`',
  rm: 'Use `nono prune` for the records of ended sessions, `nono rollback cleanup` for what can be undone',
  search: 'Profiles are files in ~/.config/nono/profiles: see `nono profile list`',
  session: 'See `nono ps` and `nono inspect ID`',
  sessions: PS,
  snapshots: LIST,
  start: RUN,
  status: PS,
  tail: 'Use `nono logs -f ID`',
  top: PS,
  trust: NO_ATTESTATION,
  uninstall: 'Run install.sh with --uninstall',
  update: UPDATE,
  upgrade: UPDATE,
  verify: 'Use `nono rollback verify ID` for what can be undone, `nono audit verify ID` for the log',
  version: 'Use `nono --version`',
};

/** What to do instead; undefined for a word that the other tool does not know either. */
export function insteadOfOption(written: string): string | undefined {
  return Object.hasOwn(OPTIONS, written) ? OPTIONS[written] : undefined;
}

/** The same for a verb: `learn`, `profile diff`. */
export function insteadOfVerb(name: string): string | undefined {
  return Object.hasOwn(VERBS, name) ? VERBS[name] : undefined;
}
