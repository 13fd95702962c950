import type { Bytes } from '../bytes.ts';
import { joinPath } from '../paths.ts';
import type { Directory } from '../ports/files.ts';
import { openStateDirectory } from '../session/state-directory.ts';
import {
  createTemporaryDirectory,
  isSweepDue,
  leaveTemporaryDirectory,
  sweepTemporaryDirectories,
  temporaryDirectoryPath,
} from '../session/temporary-directory.ts';
import { askTimeoutMs } from './ask-timeout.ts';
import { confine } from './confinement.ts';
import type { Context } from './context.ts';
import { makeMissing } from './make-missing.ts';
import { chosenName, NAMES, SESSION_VARIABLE, SESSIONS, unusedSessionId } from './new-session.ts';
import { type PlainEnd, runPlainSession } from './run-plain-session.ts';
import { reviewSession } from './session/review-session.ts';
import { asksForReview, chooseExclusions, chooseInterval } from './snapshot-options.ts';
import type { CommandResult, ParsedCall } from './spec.ts';
import { loadUserConfig } from './user-config.ts';

/** Runs the command on the caller's streams, under this process, with a record from before its start until after its end. */
export async function runPlain(call: ParsedCall, context: Context): Promise<CommandResult> {
  const { files, uid } = context;
  const wantsRollback = call.flags.has('rollback');
  const config = await loadUserConfig(context);
  const [adapters, parent] = await Promise.all([context.loadSandbox(), context.loadParent()]);
  const id = unusedSessionId(context);
  const temporaryDirectory = temporaryDirectoryPath(context, id, adapters.processes.self());
  const setVariables = new Map([[SESSION_VARIABLE, id as Bytes]]);
  const confinement = await confine(call, context, adapters, { temporaryDirectory, setVariables });
  if (wantsRollback) (await import('./run-snapshots.ts')).checkRoots(confinement.plan);

  // Up to here nothing was made: what is wrong with the call changes nothing.
  using stateDirectory = createState(context, context.stateDirectory);
  using sessions = createState(context, joinPath(context.stateDirectory, SESSIONS));
  using names = createState(context, joinPath(context.stateDirectory, NAMES));
  makeMissing(context, confinement.plan);
  createTemporaryDirectory(files, temporaryDirectory);
  let end: PlainEnd;
  try {
    end = await runPlainSession({
      context,
      adapters,
      parent,
      stateDirectory,
      sessions,
      names,
      temporaryDirectory,
      confinement,
      id,
      chosenName: chosenName(call),
      exclusions: wantsRollback ? chooseExclusions(call, confinement.plan) : undefined,
      asksForReview: asksForReview(call),
      checkpointEveryMs: chooseInterval(call),
      isDurable: call.flags.has('durable'),
      config,
      askTimeoutMs: askTimeoutMs(call, config),
    });
  } finally {
    leaveTemporaryDirectory(files, temporaryDirectory, () => {
      if (isSweepDue(context.randomHex)) sweepTemporaryDirectories(files, adapters.processes, uid);
    });
  }
  const { isStdinTerminal, isStdoutTerminal } = context.terminal;
  if (end.rollbackId !== undefined && isStdinTerminal && isStdoutTerminal) await reviewSession(context, id);
  return { exitCode: end.exitCode };
}

function createState({ files, uid }: Context, path: Bytes): Directory {
  const directory = openStateDirectory(files, path, uid, { create: true });
  if (directory === undefined) throw new TypeError('Expected a state directory that is created to be there');
  return directory;
}
