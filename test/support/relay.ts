/**
 * A terminal that is far away, run by Bun: `relay.ts MILLISECONDS COMMAND…` runs a command on a terminal of its own, passes
 * on at once what it writes, and what is typed, answers of the terminal too, only after that time.
 */
import { argv, exit, stdin, stdout } from 'node:process';

const [delay = '0', ...command] = argv.slice(2);

stdin.setRawMode(true);
const child = Bun.spawn(command, {
  terminal: {
    cols: stdout.columns,
    rows: stdout.rows,
    data: (_terminal, data) => void stdout.write(data),
  },
});
stdin.on('data', (data: Uint8Array) => {
  const copy = Uint8Array.from(data);
  setTimeout(() => child.terminal?.write(copy), Number(delay));
});
await child.exited;
stdin.setRawMode(false);
exit(0);
