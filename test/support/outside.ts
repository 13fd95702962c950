import { chmodSync } from 'node:fs';
import { createServer, type Server } from 'node:net';
import { join } from 'node:path';
import { runProgram } from './nono.ts';
import type { World } from './world.ts';

/** A place outside the grants with a socket that listens, which counts who came. */
export class Outside implements Disposable {
  readonly directory: string;
  readonly file: string;
  readonly socket: string;
  visitors = 0;
  #server: Server | undefined;

  constructor(world: World) {
    this.directory = join(world.home, 'out');
    this.file = join(this.directory, 'f');
    this.socket = join(this.directory, 's');
  }

  async make(world: World): Promise<void> {
    await runProgram(world, ['sh', '-c', `mkdir ${this.directory}; echo x > ${this.file}; chmod 644 ${this.file}`]);
    this.#server = createServer((connection) => {
      this.visitors++;
      connection.end();
    });
    await new Promise<void>((resolve) => this.#server?.listen(this.socket, resolve));
    chmodSync(this.socket, 0o777);
  }

  [Symbol.dispose](): void {
    this.#server?.close();
  }
}
