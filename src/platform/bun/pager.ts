import { type Bytes, bufferFromBytes, displayBytes } from '../../bytes.ts';
import { EXIT, NonoError } from '../../errors.ts';
import { terminalSize } from '../linux/terminal.ts';

/** What git gives its pager too: quit when it fits, colours as they are, leave the screen. */
const PAGER_ENVIRONMENT = { LESS: 'FRX', LV: '-c' };
const STDOUT = 1;
// biome-ignore lint/suspicious/noControlCharactersInRegex: what picocolors writes
const COLOUR_REGEXP = /\x1b\[[0-9;]*m/g;

/** Writes a piece to standard output. @returns false when nobody reads any more. */
type Write = (piece: string | Uint8Array) => Promise<boolean>;

/**
 * Shows output through a pager when it does not fit on the terminal. The reader may leave at any time: then no more of
 * the output is made.
 *
 * @param command As sh takes it.
 * @throws {NonoError} when the pager cannot do its work.
 */
export async function page(output: Iterable<string | Uint8Array>, command: Bytes, write: Write): Promise<void> {
  const pieces = output[Symbol.iterator]();
  try {
    const head = readUntilFull(pieces);
    if (head.isAll) {
      for (const piece of head.pieces) if (!(await write(piece))) return;
    } else await feed(command, head.pieces, pieces);
  } finally {
    pieces.return?.();
  }
}

interface Head {
  readonly pieces: readonly (string | Uint8Array)[];
  readonly isAll: boolean;
}

/** As much as the terminal has room for, with its last line left to the prompt. */
function readUntilFull(pieces: Iterator<string | Uint8Array>): Head {
  const { rows, columns } = terminalSize(STDOUT) ?? { rows: 24, columns: 80 };
  const head: (string | Uint8Array)[] = [];
  for (let left = rows - 1; left >= 0; ) {
    const { done, value } = pieces.next();
    if (done === true) return { pieces: head, isAll: true };
    head.push(value);
    left -= rowsOf(value, columns);
  }
  return { pieces: head, isAll: false };
}

function rowsOf(piece: string | Uint8Array, columns: number): number {
  const text = typeof piece === 'string' ? piece : Buffer.from(piece).toString('utf8');
  const lines = text.replaceAll(COLOUR_REGEXP, '').split('\n');
  if (lines.at(-1) === '') lines.pop();
  return lines.reduce((sum, line) => sum + Math.max(1, Math.ceil(line.length / columns)), 0);
}

async function feed(command: Bytes, head: readonly (string | Uint8Array)[], rest: Iterator<string | Uint8Array>): Promise<void> {
  // The keyboard's signals are the pager's: it stays when they come, and so do we.
  const stay = () => undefined;
  process.on('SIGINT', stay);
  process.on('SIGQUIT', stay);
  try {
    const pager = Bun.spawn(['/bin/sh', '-c', bufferFromBytes(command).toString('utf8')], {
      stdin: 'pipe',
      stdout: 'inherit',
      stderr: 'inherit',
      env: { ...PAGER_ENVIRONMENT, ...process.env },
    });
    await pour(pager.stdin, head, rest);
    const code = await pager.exited;
    if (pager.signalCode === null && code !== 0) throw brokenPager(command, code);
  } finally {
    process.off('SIGINT', stay);
    process.off('SIGQUIT', stay);
  }
}

/** Waits for the pager to take each piece, so that what is not looked at is not made. */
async function pour(
  sink: Bun.FileSink,
  head: readonly (string | Uint8Array)[],
  rest: Iterator<string | Uint8Array>,
): Promise<void> {
  try {
    for (const piece of head) await put(sink, piece);
    for (let next = rest.next(); next.done !== true; next = rest.next()) await put(sink, next.value);
    await sink.end();
  } catch (error) {
    const reason = error instanceof Error && 'code' in error ? error.code : undefined;
    if (reason !== 'EPIPE') throw error;
  }
}

async function put(sink: Bun.FileSink, piece: string | Uint8Array): Promise<void> {
  await sink.write(piece);
  await sink.flush();
}

function brokenPager(command: Bytes, code: number): NonoError {
  return new NonoError(
    'E_PAGER',
    EXIT.failure,
    `Cannot show the output: the pager "${displayBytes(command)}" ended with ${code}`,
    {
      hint: 'Set PAGER to a program that works, or use --no-pager',
    },
  );
}
