import { execFile } from 'node:child_process';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { waitFor } from './wait.ts';
import type { World } from './world.ts';

const execFileAsync = promisify(execFile);

/** A real terminal: one window of a tmux server that belongs to the test alone. */
export interface Terminal extends AsyncDisposable {
  /** Types `text` as it is. */
  type(text: string): Promise<void>;
  /** Presses keys by tmux's names: 'Enter', 'C-c', 'C-]'. */
  press(...keys: readonly string[]): Promise<void>;
  resize(size: { readonly columns: number; readonly rows: number }): Promise<void>;
  /** The lines on the screen, without trailing blanks; `history` adds what has scrolled off. */
  screen(options?: { readonly history?: boolean }): Promise<string>;
  /** Every cell with its colours, the cursor, the screen that is on and the modes that programs set. */
  cells(): Promise<string>;
  /** Waits until the screen matches and gives it back. */
  waitFor(pattern: string | RegExp, timeoutMs?: number): Promise<string>;
  /** What a format of tmux says about the window, such as '#{pane_current_command}'. */
  query(format: string): Promise<string>;
}

const STATE = [
  'cursor_x',
  'cursor_y',
  'cursor_flag',
  'alternate_on',
  'mouse_any_flag',
  'mouse_sgr_flag',
  'keypad_flag',
  'keypad_cursor_flag',
  'insert_flag',
  'origin_flag',
  'wrap_flag',
  'scroll_region_upper',
  'scroll_region_lower',
]
  .map((name) => `#{${name}}`)
  .join(' ');

interface TerminalOptions {
  readonly columns?: number;
  readonly rows?: number;
  /** What runs in it: an interactive shell with the prompt `$ ` by default. */
  readonly command?: readonly string[];
  readonly environment?: Readonly<Record<string, string>>;
}

/** Starts a terminal in the world's project, as the world's user. */
export async function openTerminal(world: World, options: TerminalOptions = {}): Promise<Terminal> {
  const { columns = 80, rows = 24, command = ['sh', '-i'], environment = {} } = options;
  const socket = join(world.directory, `tmux-${Math.random().toString(36).slice(2)}`);
  const variables = { ...world.environment, PS1: '$ ', ENV: '', ...environment };
  const tmux = async (...words: readonly string[]): Promise<string> => {
    const [file = '', ...rest] = [...world.asUser, 'tmux', '-f', '/dev/null', '-S', socket, ...words];
    const { stdout } = await execFileAsync(file, rest, { cwd: world.project, env: variables });
    return stdout;
  };
  await tmux('new-session', '-d', '-x', String(columns), '-y', String(rows), '--', ...command);
  // The window stays when its command ends, so that its last screen can be read.
  await tmux('set-option', '-g', 'remain-on-exit', 'on');
  await tmux('set-option', '-g', 'window-size', 'manual');

  const screen = async ({ history = false } = {}): Promise<string> => {
    const text = await tmux('capture-pane', '-p', ...(history ? ['-S', '-'] : []));
    return text.replaceAll(/[ \t]+$/gm, '').trimEnd();
  };
  const matches = (text: string, pattern: string | RegExp) =>
    typeof pattern === 'string' ? text.includes(pattern) : pattern.test(text);
  if (options.command === undefined) {
    // What is typed before the shell reads is echoed twice, once before its prompt.
    await waitFor('the prompt of the shell', async () => (await screen()).startsWith('$'));
  }
  return {
    type: async (text) => void (await tmux('send-keys', '-l', '--', text)),
    press: async (...keys) => void (await tmux('send-keys', '--', ...keys)),
    resize: async (size) => void (await tmux('resize-window', '-x', String(size.columns), '-y', String(size.rows))),
    screen,
    cells: async () => `${await tmux('capture-pane', '-p', '-e', '-N')}${await tmux('display-message', '-p', STATE)}`,
    query: async (format) => (await tmux('display-message', '-p', format)).trimEnd(),
    async waitFor(pattern, timeoutMs) {
      let last = '';
      try {
        return await waitFor(
          String(pattern),
          async () => {
            last = await screen();
            return matches(last, pattern) && last;
          },
          timeoutMs,
        );
      } catch (error) {
        throw new Error(`The screen has no ${String(pattern)}:\n${last}`, { cause: error });
      }
    },
    [Symbol.asyncDispose]: async () => void (await tmux('kill-server')),
  };
}
