import { existsSync, mkdirSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { type Bytes, bytesFromText } from '../../src/bytes.ts';
import type { Connection, ConnectionHandlers, Sockets } from '../../src/ports/socket.ts';
import { createScratchDirectory } from '../support/scratch.ts';
import { waitFor } from '../support/wait.ts';

const NAME = 'a3f7c2.sock' as Bytes;

/** What one side of a connection has seen. */
function recorder(onData: (data: Uint8Array) => void = () => undefined) {
  const seen = { bytes: 0, text: '', drained: 0, closed: 0 };
  const handlers: ConnectionHandlers = {
    onData: (data) => {
      seen.bytes += data.length;
      if (seen.bytes < 1000) seen.text += Buffer.from(data).toString('utf8');
      onData(data);
    },
    onDrain: () => void seen.drained++,
    onClose: () => void seen.closed++,
  };
  return { seen, handlers };
}

/** What every Sockets adapter owes its callers. */
export function describeSocketContract(name: string, load: () => Promise<Sockets>): void {
  describe(`${name} sockets`, () => {
    test.for([
      { kind: 'a short path', parts: [] },
      { kind: 'a path longer than an address', parts: ['d'.repeat(100), 'e'.repeat(100)] },
    ])('carry bytes both ways below $kind, with mode 0600', async ({ parts }) => {
      using scratch = createScratchDirectory();
      const directory = join(scratch.path, ...parts);
      mkdirSync(directory, { recursive: true });
      const address = { directory: bytesFromText(directory), name: NAME };
      const sockets = await load();
      const server = recorder();
      using _listening = sockets.listen(address, (connection) => ({
        ...server.handlers,
        onData: (data) => {
          server.handlers.onData(data);
          connection.write(Buffer.from('pong'));
        },
      }));
      const client = recorder();
      const connection = await sockets.connect(address, client.handlers);
      connection.write(Buffer.from('ping'));

      await waitFor('the answer', () => client.seen.text === 'pong');
      expect(server.seen.text).toBe('ping');
      expect(statSync(join(directory, NAME)).mode & 0o7777).toBe(0o600);
      connection.end();
      await waitFor('both ends', () => client.seen.closed === 1 && server.seen.closed === 1);
    });

    test('tell who ends a connection as soon as it is there of its end, with a last word', async () => {
      using scratch = createScratchDirectory();
      const address = { directory: scratch.bytes, name: NAME };
      const sockets = await load();
      const server = recorder();
      using _listening = sockets.listen(address, (connection) => {
        connection.write(Buffer.from('no'));
        connection.end();
        return server.handlers;
      });
      const client = recorder();
      await sockets.connect(address, client.handlers);
      await waitFor('both ends', () => client.seen.closed === 1 && server.seen.closed === 1);
      expect(client.seen.text).toBe('no');
    });

    test('keep what a peer does not read, say how much, and say when it is gone', async () => {
      using scratch = createScratchDirectory();
      const address = { directory: scratch.bytes, name: NAME };
      const sockets = await load();
      const server = recorder();
      const accepted: Connection[] = [];
      using _listening = sockets.listen(address, (connection) => {
        accepted.push(connection);
        connection.write(new Uint8Array(8_000_000));
        connection.write(new Uint8Array(10));
        return server.handlers;
      });
      const client = recorder();
      await sockets.connect(address, client.handlers);

      await waitFor('all of it', () => client.seen.bytes === 8_000_010);
      await waitFor('the drain', () => server.seen.drained === 1);
      expect(accepted[0]?.queuedBytes).toBe(0);
    });

    test('end after what was written', async () => {
      using scratch = createScratchDirectory();
      const address = { directory: scratch.bytes, name: NAME };
      const sockets = await load();
      using _listening = sockets.listen(address, (connection) => {
        connection.write(new Uint8Array(3_000_000));
        connection.end();
        return recorder().handlers;
      });
      const client = recorder();
      await sockets.connect(address, client.handlers);

      await waitFor('the end', () => client.seen.closed === 1);
      expect(client.seen.bytes).toBe(3_000_000);
    });

    test('tell why there is no connection, and leave no name behind', async () => {
      using scratch = createScratchDirectory();
      const address = { directory: scratch.bytes, name: NAME };
      const sockets = await load();
      const { handlers } = recorder();

      await expect(sockets.connect(address, handlers)).rejects.toMatchObject({ errno: 'ENOENT' });
      sockets.listen(address, () => handlers)[Symbol.dispose]();
      expect(existsSync(scratch.at(NAME))).toBe(false);
      writeFileSync(scratch.at(NAME), '');
      await expect(sockets.connect(address, handlers)).rejects.toMatchObject({ errno: 'ECONNREFUSED' });
    });
  });
}
