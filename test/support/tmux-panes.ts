import { execFileSync } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { ansiText, styledRow } from '../../src/terminal/styled-lines.ts';
import { createModel } from './screens.ts';
import { waitFor } from './wait.ts';

const FLAGS = [
  'alternate_on',
  'cursor_x',
  'cursor_y',
  'cursor_flag',
  'insert_flag',
  'keypad_cursor_flag',
  'keypad_flag',
  'mouse_any_flag',
  'mouse_button_flag',
  'mouse_standard_flag',
  'mouse_sgr_flag',
  'origin_flag',
  'scroll_region_lower',
  'scroll_region_upper',
  'wrap_flag',
];
/** No stream has a title. */
const TITLE = 'all of it was read';
const END = `\x1b]2;${TITLE}\x07`;
const MARK = ' end of the pane';

/** What the panes wait for is behind it. */
export function withEnd(bytes: Uint8Array): Uint8Array {
  return Buffer.concat([bytes, Buffer.from(END)]);
}

/** A tmux server whose panes show files, for terminals that are to be compared. */
export class TmuxPanes implements Disposable {
  readonly #directory: string;
  readonly #socket: string;
  readonly #size: { readonly columns: number; readonly rows: number };

  constructor(directory: string, size: { readonly columns: number; readonly rows: number }) {
    this.#directory = directory;
    this.#socket = join(directory, 'panes');
    this.#size = size;
    this.#tmux('new-session', '-d', '-x', String(size.columns), '-y', String(size.rows), 'sleep', '1000');
    this.#tmux('set-option', '-g', 'default-size', `${size.columns}x${size.rows}`);
    this.#tmux('set-option', '-g', 'status', 'off');
  }

  /** What each pane shows when it has read its bytes: cells with attributes, cursor and flags. */
  async show(streams: readonly Uint8Array[]): Promise<readonly string[]> {
    return await this.run(
      streams.map((bytes, at) => {
        const file = join(this.#directory, `stream-${at}`);
        writeFileSync(file, withEnd(bytes));
        return `stty raw -echo; cat ${file}; exec sleep 1000`;
      }),
    );
  }

  /** The same for what commands show that write withEnd(). */
  async run(commands: readonly string[]): Promise<readonly string[]> {
    const windows = commands.map((command, at) => ({ target: `:${at + 1}`, command }));
    // One call for all: each is a process.
    this.#all(windows.map(({ target, command }) => ['new-window', '-d', '-t', target, 'sh', '-c', command]));
    await waitFor('the panes', () => {
      const titles = this.#tmux('list-windows', '-F', '#{pane_title}').split('\n');
      return titles.filter((title) => title === TITLE).length === windows.length;
    });
    const flags = FLAGS.map((flag) => `${flag}=#{${flag}}`).join(' ');
    const shown = this.#all(
      windows.flatMap(({ target }) => [
        ['capture-pane', '-p', '-e', '-N', '-t', target],
        ['display-message', '-p', '-t', target, `${flags}${MARK}`],
      ]),
    );
    this.#all(windows.map(({ target }) => ['kill-window', '-t', target]));
    return shown
      .split(`${MARK}\n`)
      .slice(0, windows.length)
      .map((text) => {
        const cells = text.slice(0, text.lastIndexOf('\n') + 1);
        return `${this.#looks(cells)}\n${text.slice(cells.length)}`;
      });
  }

  #all(commands: readonly (readonly string[])[]): string {
    return this.#tmux(...commands.flatMap((words, at) => (at === 0 ? words : [';', ...words])));
  }

  /** The cells, however tmux has written them. Behind the last character capture-pane gives only some of the blanks that have a colour. */
  #looks(captured: string): string {
    const lines = captured.split('\n');
    const model = createModel({ columns: this.#size.columns, rows: lines.length + 1 }, 0);
    // What a terminal draws lines with comes as the letters of that set, between SO and SI.
    model.write(Buffer.from(`\x1b)0${lines.join('\r\n')}`));
    const { active } = model.buffers;
    return lines
      .map((_, row) => {
        const line = active.lines.get(row);
        const runs = line === undefined ? [] : [...styledRow(model, line)];
        while (runs.at(-1)?.text.trim() === '') runs.pop();
        const last = runs.pop();
        return ansiText(last === undefined ? [] : [...runs, { ...last, text: last.text.trimEnd() }]);
      })
      .join('\n');
  }

  #tmux(...words: readonly string[]): string {
    const all = ['-f', '/dev/null', '-S', this.#socket, ...words];
    return execFileSync('tmux', all, { encoding: 'utf8', env: { ...process.env, LC_ALL: 'C.UTF-8' } });
  }

  [Symbol.dispose](): void {
    this.#tmux('kill-server');
  }
}
