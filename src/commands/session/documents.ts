import {
  type Bytes,
  bytesFromStored,
  bytesFromText,
  displayBytes,
  jsonPath,
  type StoredBytes,
  textFromBytes,
} from '../../bytes.ts';
import { commandOf, workingDirectoryOf } from '../../session/read-record.ts';
import type { Session } from '../../session/sessions.ts';
import type { Shared } from '../../session/shared.ts';
import { shownWord } from '../../shell-word.ts';

/** The JSON form of a session; names as in OUTPUT.md. */
export function sessionDocument({ record, status }: Session): Readonly<Record<string, unknown>> {
  const { path, path_bytes: pathBytes } = jsonPath(workingDirectoryOf(record));
  return {
    session_id: record.session_id,
    name: record.name,
    status,
    attachment: status === record.status ? record.attachment : 'detached',
    supervisor_pid: record.supervisor_pid,
    child_pid: record.child_pid,
    started: record.started,
    ended: record.ended,
    exit_code: record.exit_code,
    signal: record.signal,
    command: commandOf(record).map(textFromBytes),
    profile: record.profile,
    workdir: path,
    ...(pathBytes === undefined ? {} : { workdir_bytes: pathBytes }),
    network: record.network,
    terminal: record.terminal,
    rollback_session: record.rollback_session,
    shared: record.shared === undefined ? null : sharedDocument(record.shared),
    enforced: record.enforced,
    pending_approvals: record.pending_approvals,
    failure: record.failure,
  };
}

function sharedDocument({ paths, sockets, ...rest }: Shared): Readonly<Record<string, unknown>> {
  return {
    paths: paths.map(({ path, access }) => ({ ...jsonPath(shownPath(path)), access })),
    sockets: sockets.map((socket) => jsonPath(shownPath(socket))),
    ...rest,
  };
}

/** A path of a record that was checked when it was read. */
export function shownPath(stored: StoredBytes): Bytes {
  return bytesFromStored(stored) ?? bytesFromText('');
}

/** The words as a shell would take them, safe to show. */
export function shownCommand(session: Session): string {
  return commandOf(session.record).map(shownWord).join(' ');
}

/** Text of a record, which anybody could have written there. */
export function shown(text: string): string {
  return displayBytes(bytesFromText(text));
}
