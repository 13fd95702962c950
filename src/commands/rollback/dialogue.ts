import type { Bytes } from '../../bytes.ts';
import { EXIT, NonoError } from '../../errors.ts';
import type { Signals } from '../../ports/signals.ts';
import type { UserTerminal } from '../../ports/user-terminal.ts';
import { createPalette, type Palette } from '../../ui/palette.ts';
import { displayWidth } from '../../ui/width.ts';
import { awaitTurn, isInForeground, untilForeground } from '../await-turn.ts';
import type { Context } from '../context.ts';

/** The user left: Ctrl-C, Ctrl-D, a hung-up terminal, a signal. */
export const END = 'end';

const CTRL_C = '\x03';
const CTRL_D = '\x04';
const CTRL_Z = '\x1a';
const ESCAPE = '\x1b';
/** Cursor keys, in both encodings. */
const ARROWS: Readonly<Record<string, string>> = { '\x1b[A': 'p', '\x1bOA': 'p', '\x1b[B': 'n', '\x1bOB': 'n' };
// biome-ignore lint/suspicious/noControlCharactersInRegex: what picocolors writes
const COLOUR_REGEXP = /\x1b\[[0-9;]*m/g;

/**
 * A conversation on the user's terminal: text, and questions that one key answers. On a terminal that cannot do more than
 * a typewriter (TERM=dumb) a line answers them, of which the first character counts.
 *
 * The terminal is raw all the time, so that Ctrl-C and Ctrl-Z are keys like others.
 */
export class Dialogue implements Disposable {
  readonly #terminal: UserTerminal;
  readonly #signals: Signals;
  readonly #watching: Disposable;
  readonly #isDumb: boolean;
  readonly palette: Palette;
  #keys: string[] = [];
  /** What was typed until the next question was for somebody else. */
  #isForOthers: boolean;
  #isEnded = false;
  #wake: () => void = () => undefined;

  private constructor(
    terminal: UserTerminal,
    signals: Signals,
    { isDumb, palette, isUnasked }: Pick<Dialogue, 'palette'> & { isDumb: boolean; isUnasked: boolean },
  ) {
    this.#terminal = terminal;
    this.#signals = signals;
    this.#isDumb = isDumb;
    this.#isForOthers = isUnasked;
    this.palette = palette;
    const end = () => {
      this.#isEnded = true;
      this.#wake();
    };
    this.#watching = signals.watch({ onSignal: end, onChild: () => undefined, isReader: true });
    terminal.enterRaw();
    terminal.watch({ onResize: () => undefined, onContinue: () => this.#continued() });
    terminal.follow({
      onInput: (data) => {
        this.#keys.push(...splitKeys(Buffer.from(data).toString('utf8')));
        this.#wake();
      },
      onEnd: end,
    });
  }

  /**
   * Call after needTerminal().
   *
   * @param options.isUnasked It comes by itself: whoever typed before its first question did not answer that.
   */
  static async open(context: Context, { isUnasked = false } = {}): Promise<Dialogue> {
    const { colourStdout } = context.terminal;
    if ((await awaitTurn(context)) !== undefined)
      throw new NonoError('E_DECLINED', EXIT.failure, 'Cannot ask: it was ended before it had the terminal');
    const [signals, openTerminal] = await Promise.all([context.loadSignals(), context.loadUserTerminal()]);
    const type = context.environment.get('TERM' as Bytes) ?? '';
    const isDumb = type === '' || type === 'dumb';
    return new Dialogue(openTerminal(), signals, { isDumb, palette: createPalette(colourStdout && !isDumb), isUnasked });
  }

  /** As it is at this moment. */
  get columns(): number {
    return this.#terminal.size().columns;
  }

  write(text: string): void {
    this.#terminal.write(Buffer.from(text.replaceAll('\n', '\r\n')));
  }

  line(text = ''): void {
    this.write(`${text}\n`);
  }

  /**
   * Asks until one of `keys` is pressed and shows it.
   *
   * @param shown Gives the question anew for the terminal's width, after it was stopped and continued too.
   */
  async ask(shown: () => string, keys: string): Promise<string> {
    if (this.#isForOthers) await this.#dropTyped();
    this.write(shown());
    for (;;) {
      const key = await this.#nextAnswer();
      if (key === END) {
        this.line();
        return END;
      }
      if (key === CTRL_Z) {
        await this.#stop();
        this.write(shown());
      } else if (key !== '' && keys.includes(key)) {
        this.line(this.#isDumb ? '' : key);
        return key;
      } else if (this.#isDumb) this.write(`\nOne of ${Array.from(keys).join(' ')}, then Enter\n${shown()}`);
      else if (keys.includes('?')) {
        this.line('?');
        return '?';
      }
    }
  }

  /** Yes or no; what was typed before the question is no answer to it. Anything but yes is no. */
  async confirm(question: string): Promise<boolean> {
    await this.#dropTyped();
    const answer = await this.ask(() => `${question} [y/N] `, 'yYnNq\r ');
    return answer === 'y' || answer === 'Y';
  }

  /** Writes lines a screenful at a time. @returns false when the user has left. */
  async show(pieces: Iterable<string>): Promise<boolean> {
    let used = 0;
    for (const piece of pieces) {
      for (const line of piece.split('\n').slice(0, -1)) {
        const { columns, rows } = this.#terminal.size();
        const height = Math.max(1, Math.ceil(displayWidth(line.replaceAll(COLOUR_REGEXP, '')) / columns));
        if (used + height > rows - 2) {
          const answer = await this.ask(() => 'more? [space, q] ', ' q\r');
          if (answer === END) return false;
          if (answer === 'q') return true;
          used = 0;
        }
        used += height;
        this.line(line);
      }
      await this.#breathe();
      if (this.#keys.includes(CTRL_C)) {
        this.#keys = [];
        return true;
      }
      if (this.#isEnded) return false;
    }
    return true;
  }

  async #dropTyped(): Promise<void> {
    this.#isForOthers = false;
    await this.#breathe();
    this.#keys = [];
  }

  /** Lets what was typed arrive. */
  async #breathe(): Promise<void> {
    await new Promise((resolve) => setTimeout(resolve, 0));
  }

  async #nextAnswer(): Promise<string> {
    if (!this.#isDumb) {
      const key = await this.#nextKey();
      return key === CTRL_C || key === CTRL_D ? END : key;
    }
    let line = '';
    for (;;) {
      const key = await this.#nextKey();
      if (key === END || key === CTRL_C || key === CTRL_D) return END;
      if (key === CTRL_Z) return CTRL_Z;
      if (key === '\r' || key === '\n') {
        this.line();
        return line.trim().charAt(0) || '\r';
      }
      if (key === '\x7f' || key === '\b') {
        if (line !== '') this.write('\b \b');
        line = line.slice(0, -1);
      } else if (/^[\x20-\x7e]$/.test(key)) {
        line += key;
        this.write(key);
      }
    }
  }

  async #nextKey(): Promise<string> {
    for (;;) {
      const key = this.#keys.shift();
      if (key !== undefined) return key;
      if (this.#isEnded) return END;
      await new Promise<void>((resolve) => {
        this.#wake = resolve;
      });
    }
  }

  /** As any program that is stopped from the keyboard: the shell gets its terminal as it was, and gives it back. */
  async #stop(): Promise<void> {
    this.line();
    this.#terminal.leaveRaw();
    this.#signals.stopGroup('key');
    // Some shells continue it in the background (bg): the terminal is theirs then.
    await untilForeground(this.#signals, () => this.#isEnded);
    this.#continued();
  }

  #continued(): void {
    if (isInForeground(this.#signals)) this.#terminal.enterRaw();
  }

  [Symbol.dispose](): void {
    this.#watching[Symbol.dispose]();
    this.#terminal[Symbol.dispose]();
  }
}

/** @throws {NonoError} where there is nobody to ask. */
export function needTerminal({ terminal }: Context, what: string): void {
  if (terminal.isStdinTerminal && terminal.isStdoutTerminal) return;
  throw new NonoError('E_NO_TERMINAL', EXIT.failure, `Cannot ${what} without a terminal to ask on`, {
    hint: 'See `nono rollback show`, and restore with `nono rollback restore ID PATH…`',
  });
}

/** A context whose notices go into a conversation: the terminal is raw while it lasts. */
export function withDialogue(context: Context, dialogue: Dialogue): Context {
  return { ...context, notify: (line) => dialogue.line(`[nono] ${line}`) };
}

/** A sequence that begins with escape is one key. */
function splitKeys(text: string): string[] {
  if (text.startsWith(ESCAPE) && text.length > 1) return [ARROWS[text] ?? ESCAPE];
  return Array.from(text);
}
