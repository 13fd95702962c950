import { type Bytes, displayBytes, jsonPath, textFromBytes } from '../../bytes.ts';
import { tildePath } from '../../paths.ts';
import type { Enforced } from '../../sandbox/linux/landlock.ts';
import type { Access, Network, PathRule, Plan, RuleOrigin } from '../../sandbox/plan.ts';
import { renderTable } from '../../ui/table.ts';

/** A plan that is only looked at. */
interface DescribedPlan {
  readonly plan: Plan;
  /** What the user would be asked first. */
  readonly question: string | undefined;
  readonly enforced: Enforced;
  /** What snapshots would be taken of; undefined where none would. */
  readonly tracked: readonly Bytes[] | undefined;
}

/** Rules that every command has: told as a number unless all is wanted. */
const COMMON_ORIGINS: readonly RuleOrigin[] = ['system', 'device'];

/** For people. */
export function planText(
  { plan, question, enforced, tracked }: DescribedPlan,
  { homeDirectory, isVerbose }: { readonly homeDirectory: Bytes; readonly isVerbose: boolean },
): string {
  const shown = (path: Bytes) => displayBytes(tildePath(path, homeDirectory));
  const names = plan.environment.map((entry) => entry.slice(0, entry.indexOf('=')) as Bytes);
  const common = plan.rules.filter(({ origin }) => COMMON_ORIGINS.includes(origin));
  const listed = isVerbose ? plan.rules : plan.rules.filter((rule) => !common.includes(rule));
  const facts: readonly (readonly [label: string, text: string | undefined])[] = [
    ['Command', plan.command.map(displayBytes).join(' ')],
    ['Executable', shown(plan.executables[0] as Bytes)],
    ['Directory', shown(plan.workingDirectory)],
    ['Profile', plan.profile],
    ['Network', networkText(plan.network)],
    ['Sockets', listText(plan.sockets.map(shown))],
    ['Variables', `${names.length} passed${isVerbose ? `: ${names.map(displayBytes).toSorted().join(', ')}` : ''}`],
    ['Withheld', listText(plan.withheld.map(displayBytes))],
    ['To be made', listText([...plan.missingDirectories, ...plan.missingFiles.map(({ path }) => path)].map(shown))],
    ['Tracked', tracked && listText(tracked.map(shown))],
    ['Asks', question],
    [
      'Kernel',
      `Landlock ABI ${enforced.landlock_abi}${enforced.missing.length === 0 ? '' : `, not enforced: ${enforced.missing.join(', ')}`}`,
    ],
    [
      'Skipped',
      isVerbose ? listText(plan.skipped.map(({ path, place, reason }) => `${shown(path)} (${place}: ${reason})`)) : undefined,
    ],
  ];
  const rows = listed.map((rule) => [
    accessWord(rule),
    `${shown(rule.path)}${rule.isDirectory && rule.path !== '/' ? '/' : ''}`,
    rule.origin,
  ]);
  const rest = isVerbose ? '' : `and ${common.length} system paths and devices, see --verbose\n`;
  const head = facts.filter((fact): fact is [string, string] => fact[1] !== undefined);
  return `${renderTable(head)}\n${renderTable([['ACCESS', 'PATH', 'FROM'], ...rows])}${rest}`;
}

/** For scripts. Values of variables are nobody's business. */
export function planDocument({ plan, question, enforced, tracked }: DescribedPlan) {
  return {
    command: plan.command.map(textFromBytes),
    executables: plan.executables.map(textFromBytes),
    workdir: textFromBytes(plan.workingDirectory),
    profile: plan.profile,
    network: plan.network.mode,
    ports: plan.network.mode === 'ports' ? { connect: plan.network.connect, bind: plan.network.bind } : null,
    rules: plan.rules.map((rule) => ({
      ...jsonPath(rule.path),
      access: accessWord(rule),
      directory: rule.isDirectory,
      origin: rule.origin,
    })),
    sockets: plan.sockets.map(textFromBytes),
    ask: plan.asks,
    environment: plan.environment.map((entry) => textFromBytes(entry.slice(0, entry.indexOf('=')) as Bytes)).toSorted(),
    withheld: plan.withheld.map(textFromBytes),
    missing_directories: plan.missingDirectories.map(textFromBytes),
    missing_files: plan.missingFiles.map(({ path }) => textFromBytes(path)),
    skipped: plan.skipped.map(({ path, place, reason }) => ({ ...jsonPath(path), place, reason })),
    tracked_paths: tracked?.map(textFromBytes) ?? [],
    question: question ?? null,
    enforced,
  };
}

function accessWord({ access, origin }: { readonly access: Access; readonly origin: PathRule['origin'] }): string {
  if (origin === 'device' || access.control) return 'device';
  if (access.read) return access.write ? 'readwrite' : 'read';
  return 'write';
}

function networkText(network: Network): string {
  if (network.mode !== 'ports') return network.mode;
  const lists = [
    ['connect to', network.connect],
    ['listen on', network.bind],
  ] as const;
  const parts = lists.filter(([, ports]) => ports.length > 0).map(([what, ports]) => `${what} ${ports.join(', ')}`);
  return `TCP only: ${parts.join('; ')}`;
}

function listText(items: readonly string[]): string | undefined {
  return items.length === 0 ? undefined : items.join(', ');
}
