import { type Bytes, bufferFromBytes, displayBytes } from '../../bytes.ts';
import { EXIT, NonoError, UsageError } from '../../errors.ts';
import type { ControlClient } from '../../session/client.ts';
import type { Session } from '../../session/sessions.ts';
import { KEY_NAMES, keyBytes } from '../../terminal/key-names.ts';
import type { Context } from '../context.ts';
import type { CommandResult, ParsedCall } from '../spec.ts';
import { ask, controlSession, needThisHost, noTerminal, openSession } from './open-sessions.ts';

const STDIN = '-';
/** In base64 it stays well within a frame. */
const PIECE_BYTES = 64 * 1024;

export async function execute({ positionals, flags, values }: ParsedCall, context: Context): Promise<CommandResult> {
  const [wanted, ...texts] = positionals;
  if (wanted === undefined) throw new TypeError('Expected the parser to ask for an ID');
  const keys = (values.get('key') ?? []).map(readKey);
  if (texts.length === 0 && keys.length === 0 && !flags.has('enter')) {
    throw new UsageError('Cannot send nothing: TEXT, --key or --enter is missing', { hint: 'See `nono send --help`' });
  }
  const session = await openSession(context, wanted);
  const id = session.record.session_id;
  needThisHost(session, 'send to');
  if (!session.isLive) throw new NonoError('E_ENDED', EXIT.failure, `Cannot send to session ${id}: it has ended`);
  using client = await controlSession(context, session);
  if (client === undefined) throw noTerminal(session);
  const isInput = texts.length === 1 && texts[0] === STDIN;
  const text = isInput ? await context.readInput() : bufferFromBytes(texts.join(' ') as Bytes);
  const after = bufferFromBytes([...keys, ...(flags.has('enter') ? ['\r'] : [])].join('') as Bytes);
  await send(context, session, { client, data: Buffer.concat([text, after]) });
  return { exitCode: EXIT.ok };
}

function readKey(name: Bytes): string {
  const key = keyBytes(name);
  if (key !== undefined) return key;
  throw new UsageError(`Cannot press "${displayBytes(name)}": there is no such key`, {
    hint: `Keys are ${KEY_NAMES.join(', ')}`,
  });
}

async function send(
  context: Context,
  session: Session,
  { client, data }: { readonly client: ControlClient; readonly data: Uint8Array },
): Promise<void> {
  for (let at = 0; at < data.length; at += PIECE_BYTES)
    await ask(context, session, {
      client,
      verb: 'send to',
      request: { verb: 'send', data: data.subarray(at, at + PIECE_BYTES) },
    });
}
