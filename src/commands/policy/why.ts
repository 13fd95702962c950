import { type Bytes, displayBytes, jsonPath } from '../../bytes.ts';
import { EXIT, isErrno, UsageError } from '../../errors.ts';
import { jsonOutput } from '../../json-text.ts';
import { baseName, isWithin, joinPath, parentPath } from '../../paths.ts';
import type { FileKind } from '../../ports/files.ts';
import type { PathFacts } from '../../ports/path-facts.ts';
import type { ParentHost } from '../../ports/sandbox-host.ts';
import { type Explanation, explainAccess, explainConnect, type Operation, type Target } from '../../sandbox/explain.ts';
import { futurePath, LINKS_MAXIMUM, namesQuietly } from '../../sandbox/look-up.ts';
import type { Plan } from '../../sandbox/plan.ts';
import { type SensitivePlace, sensitivePlaces } from '../../sandbox/sensitive.ts';
import { planCall } from '../confinement.ts';
import type { Context, SandboxAdapters } from '../context.ts';
import { hasOwnTerminal } from '../own-terminal.ts';
import type { CommandResult, ParsedCall } from '../spec.ts';
import { chooseAttempts, type Judgement, judge, judgeByOuter, type PlannedAttempts } from './judge.ts';
import { probe } from './probe.ts';

const OPERATIONS: readonly Operation[] = ['read', 'write', 'readwrite', 'connect'];
/** What the toolchain rules are made for when no command is given; whatever PATH is. */
const ANY_COMMAND = '/bin/sh' as Bytes;
/** Has no rule in the plan that is looked at: the command's own directory is made when it starts. */
const TEMPORARY_DIRECTORY = '/tmp/nono-SESSION' as Bytes;

const TERMINALS = '/dev/pts/';

/** One path with all that is known of it. */
interface Question {
  readonly path: Bytes;
  readonly explanation: Explanation;
  readonly attempts: PlannedAttempts;
}

/** Tells what the sandbox of a call would answer, from its plan, and tries it in a sandbox that is thrown away. */
export async function execute(call: ParsedCall, context: Context): Promise<CommandResult> {
  const { flags, values, positionals } = call;
  const operation = chooseOperation(values.get('op')?.[0]);
  const paths = [...positionals, ...(values.get('path') ?? [])];
  if (paths.length === 0) throw new UsageError('Cannot tell why without PATH', { hint: 'See `nono why --help`' });
  const adapters = await context.loadSandbox();
  const { facts } = adapters;
  const options = { temporaryDirectory: TEMPORARY_DIRECTORY, setVariables: new Map(), expectsYes: false };
  const command = call.commandLine.length > 0 ? call.commandLine : [ANY_COMMAND];
  const made = await planCall({ ...call, commandLine: command }, context, facts, options);
  const plan = { ...made.plan, rules: made.plan.rules.filter(({ origin }) => origin !== 'temporary') };
  const world = { ...context, facts, workingDirectory: plan.workingDirectory };
  const places = sensitivePlaces(world);
  const isByOuter = operation === 'connect' && adapters.host.isMediated();
  const isClosed = (path: Bytes): boolean => hasOwnTerminal(call, context) && path.startsWith(TERMINALS);
  const { host: unconfined } = await context.loadParent();
  const questions = paths.map((path) =>
    lookAt({ path, plan, operation, isByOuter, isClosed: isClosed(path), places, facts, unconfined, pid: context.pid }),
  );
  const outside = questions.map(({ attempts }) => unconfined.attempt(attempts.outside));
  const inside = flags.has('no-probe') ? undefined : await probeAll(questions, plan, context, adapters);
  const answers = questions.map(({ path, explanation: planned, attempts }, at) => {
    const explanation = isByOuter ? judgeByOuter(planned, plan, inside?.[at]) : planned;
    return { path, ...judge({ explanation, attempts, outside: outside[at] ?? [], inside: inside?.[at] }) };
  });
  return { output: flags.has('json') ? document(answers, operation) : answers.map(answerLines).join(''), exitCode: EXIT.ok };
}

function chooseOperation(word: Bytes | undefined): Operation {
  const found = OPERATIONS.find((operation) => operation === (word ?? 'read'));
  if (found !== undefined) return found;
  throw new UsageError(`Cannot use --op "${displayBytes(word ?? ('' as Bytes))}": expected ${OPERATIONS.join(', ')}`);
}

interface LookedAt {
  readonly path: Bytes;
  readonly plan: Plan;
  readonly operation: Operation;
  /** Whether a nono around this one decides. */
  readonly isByOuter: boolean;
  /** A terminal of the caller's, by its own name: the command of `run` has another one. */
  readonly isClosed: boolean;
  readonly places: readonly SensitivePlace[];
  readonly facts: PathFacts;
  readonly unconfined: Pick<ParentHost, 'attempt'>;
  readonly pid: number;
}

function lookAt({ path, plan: made, operation, isByOuter, isClosed, places, facts, unconfined, pid }: LookedAt): Question {
  const plan = isClosed ? { ...made, rules: made.rules.filter(({ origin }) => origin !== 'stream') } : made;
  const absolute = path.startsWith('/') ? path : joinPath(plan.workingDirectory, path);
  const begun = operation === 'connect' ? undefined : whenBegun(absolute, { plan, operation, places, facts });
  if (begun !== undefined) return { path, ...begun };
  const target = findTarget(facts, absolute, pid);
  if (typeof target === 'string')
    return { path, explanation: { isAllowed: false, reason: target, rules: [] }, attempts: { outside: [], inside: [] } };
  const explanation =
    operation === 'connect'
      ? explainConnect(plan, { ...target, isDatagram: !isByOuter && isDatagram(target, unconfined) }, places)
      : explainAccess(plan, target, operation, places);
  // What is tried shares the caller's streams.
  if (isClosed) return { path, explanation, attempts: { outside: [], inside: [] } };
  const attempts = chooseAttempts(target, operation, (directory) => firstEntry(facts, directory));
  if (!isByOuter || target.kind !== 'socket') return { path, explanation, attempts };
  return { path, explanation, attempts: { ...attempts, inside: [{ call: 'connect', path: target.path }] } };
}

/** One that is connected to another already refuses with EPERM. */
function isDatagram({ path, kind }: Target, host: Pick<ParentHost, 'attempt'>): boolean {
  if (kind !== 'socket') return false;
  const [result] = host.attempt([{ call: 'connect-datagram', path }]);
  return result === null || result === 'EPERM';
}

interface MadeFirst extends Pick<LookedAt, 'plan' | 'places' | 'facts'> {
  readonly operation: Exclude<Operation, 'connect'>;
}

/**
 * What is said of a path that is not there yet, and that the profile has made before the command starts: now there is nothing to be tried but whether it
 * can be made.
 *
 * @returns undefined for any other path.
 */
function whenBegun(path: Bytes, { plan, operation, places, facts }: MadeFirst): Omit<Question, 'path'> | undefined {
  const { missingDirectories, missingFiles } = plan;
  if (missingDirectories.length + missingFiles.length === 0) return undefined;
  const made = futurePath(facts, path);
  const directory = parentPath(made);
  const isFile = missingFiles.some((file) => file.path === made);
  const isDirectory = missingDirectories.includes(made);
  if (!isFile && !isDirectory && !missingDirectories.includes(directory)) return undefined;
  const kind = isFile ? 'file' : isDirectory ? 'directory' : undefined;
  const explanation = explainAccess(plan, { path: made, kind, directory }, operation, places);
  if (explanation.rules.length === 0) return undefined;
  let there = directory;
  while (missingDirectories.includes(there)) there = parentPath(there);
  const what = kind === undefined ? 'its directory' : 'it';
  return {
    explanation: { ...explanation, reason: `${explanation.reason}; ${what} is made before the command starts` },
    attempts: { outside: [{ call: 'directory-permissions', path: there }], inside: [] },
  };
}

/** @returns why there is no telling, as a text. */
function findTarget(facts: PathFacts, path: Bytes, pid: number): Target | string {
  try {
    const found = facts.resolve(path);
    if (found === undefined) return findMissing(facts, path);
    const target = ofOwnProcess(found.path, pid);
    return { path: target, kind: found.kind, directory: parentPath(target) };
  } catch (error) {
    if (isErrno(error, 'EACCES')) return 'you may not go there yourself, with or without a sandbox (EACCES)';
    if (isErrno(error, 'ELOOP', 'ENAMETOOLONG', 'ENOTDIR')) return 'the path leads nowhere';
    throw error;
  }
}

/** What would be made: a link that leads nowhere is followed to where it leads, as whoever opens it to write follows it. */
function findMissing(facts: PathFacts, path: Bytes): Target | string {
  let written = path;
  for (let links = 0; links < LINKS_MAXIMUM; links++) {
    const directory = facts.resolve(parentPath(written));
    if (directory?.kind !== 'directory') return 'neither it nor its directory exists';
    const made = joinPath(directory.path, baseName(written));
    const target = facts.readLink(made);
    if (target === undefined) return { path: made, kind: undefined, directory: directory.path };
    written = target.startsWith('/') ? target : joinPath(directory.path, target);
  }
  return 'the path leads nowhere';
}

/** The command finds its own entries there, and so does the attempt: not those of who answers. */
function ofOwnProcess(path: Bytes, pid: number): Bytes {
  const own = `/proc/${pid}` as Bytes;
  return isWithin(path, own) ? (`/proc/self${path.slice(own.length)}` as Bytes) : path;
}

/** An entry whose renaming asks for rights that writing gives. */
function firstEntry(facts: PathFacts, directory: Bytes): Bytes | undefined {
  const usual: readonly FileKind[] = ['file', 'directory', 'symlink'];
  if (namesQuietly(facts, directory).length === 0) return undefined;
  return facts.entries(directory).find(({ kind }) => usual.includes(kind))?.name;
}

async function probeAll(questions: readonly Question[], plan: Plan, context: Context, adapters: SandboxAdapters) {
  const results = await probe(
    questions.flatMap(({ attempts }) => attempts.inside),
    plan,
    context,
    adapters,
  );
  let at = 0;
  return questions.map(({ attempts }) => results.slice(at, (at += attempts.inside.length)));
}

type Answer = Judgement & { readonly path: Bytes };

function answerLines({ path, isAllowed, reason, probe: how, way }: Answer): string {
  const confirmed =
    how === 'confirmed' ? ' (the kernel agrees)' : how === 'disagrees' ? ' (the plan says otherwise: please report this)' : '';
  const hint = way === undefined ? '' : `  To allow it: ${way}\n`;
  return `${displayBytes(path)}: ${isAllowed ? 'allowed' : 'denied'}: ${reason}${confirmed}\n${hint}`;
}

/** With one path it is the document itself. */
function document(answers: readonly Answer[], operation: Operation): string {
  const documents = answers.map(({ path, isAllowed, reason, probe: how, way }) => ({
    status: isAllowed ? 'allowed' : 'denied',
    reason,
    ...jsonPath(path),
    op: operation,
    probe: how,
    way: way ?? null,
  }));
  const [first] = documents;
  if (documents.length === 1) return jsonOutput(first);
  const isAllowed = answers.every((answer) => answer.isAllowed);
  return jsonOutput({ status: isAllowed ? 'allowed' : 'denied', reason: 'see answers', answers: documents });
}
