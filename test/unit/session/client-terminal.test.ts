import { describe, expect, test } from 'vitest';
import type { UserTerminal } from '../../../src/ports/user-terminal.ts';
import { ClientTerminal } from '../../../src/session/client-terminal.ts';

const FENCE = '\x1b[c';

function setUp() {
  const state = { written: '', nowMs: 0, ifKilled: '' };
  const terminal: UserTerminal = {
    size: () => ({ columns: 80, rows: 24 }),
    identity: () => undefined,
    ifKilled: (data) => void (state.ifKilled = Buffer.from(data).toString('latin1')),
    settings: () => '' as never,
    enterRaw: () => undefined,
    leaveRaw: () => undefined,
    write: (data) => void (state.written += Buffer.from(data).toString('latin1')),
    watch: () => undefined,
    follow: () => undefined,
    [Symbol.dispose]: () => undefined,
  };
  const clock = { nowMs: () => 0, monotonicMs: () => state.nowMs, utcOffsetMinutes: () => 0 };
  const client = new ClientTerminal(terminal, clock, 'farewell');
  const write = (text: string) => client.write(Buffer.from(text, 'latin1'));
  const answer = (text: string) => client.follow(Buffer.from(text, 'latin1'));
  return { state, client, write, answer };
}

describe('ClientTerminal', () => {
  test('leaves at once when nothing that was asked waits for an answer', async () => {
    const { state, client, write, answer } = setUp();
    write('text\x1b[6n');
    expect(answer('\x1b[5;1R')).toBe(true);

    await client.settle();

    expect(state.written).not.toContain(FENCE);
  });

  test.for([
    ['a sequence with parameters', '\x1b[?1049;', '0;'.repeat(9000), '0h'],
    ['an escape', '\x1b', ' '.repeat(18_000), 'F'],
  ] as const)(
    'passes nothing on of %s that is longer than what is looked at, and looks at what follows it',
    ([, begin, middle, end]) => {
      const { state, client, write } = setUp();
      write(`a${begin}${middle}`);
      write(middle);
      // Controls of C1 in UTF-8, which end no string.
      write(`${end}b\xc2\x9d52;c;?\x07\xc2\x9b?2004hc`);
      expect(state.written).toBe('ab\xc2\x9b?2004hc');

      client.restore();
      expect(state.written).toContain('\x1b[?2004l');
    },
  );

  test('shifts back a terminal that was shifted to the other set of characters', () => {
    const { state, client, write } = setUp();
    write('text');
    expect(state.ifKilled).not.toContain('\x0f');
    write('\x0etext');
    expect(state.ifKilled).toContain('\x0f');

    state.written = '';
    client.restore();
    expect(state.written).toBe('\x0f\x1b(B\x1b)B');
  });

  test('swallows a late answer up to that of its own question', async () => {
    const { state, client, write, answer } = setUp();
    write('\x1b[6n');
    const settled = client.settle();
    expect(state.written.endsWith(FENCE)).toBe(true);

    expect(answer('\x1b[3;1')).toBe(false);
    expect(answer('R\x1b[?62;')).toBe(false);
    expect(answer('22c')).toBe(false);
    await settled;

    expect(answer('typed in the shell')).toBe(true);
  });

  test.for([
    ['the mouse', '\x1b[?1003h\x1b[?1006h', '\x1b[?1003l\x1b[?1006l', '\x1b[<35;10;10M'],
    ['its focus', '\x1b[?1004h', '\x1b[?1004l', '\x1b[O'],
    ['releases of keys', '\x1b[>3u', '\x1b[<1u', '\x1b[100;1:3u'],
  ] as const)('swallows what the terminal tells of %s until it has read that it is not to', async ([, set, off, report]) => {
    const { state, client, write, answer } = setUp();
    write(set);
    const settled = client.settle();
    expect(state).toMatchObject({ written: `${set}${off}${FENCE}`, ifKilled: '\r\nfarewell\r\n' });

    expect(answer(report)).toBe(false);
    expect(answer(`${report}\x1b[?62;22c`)).toBe(false);
    await settled;
    client.restore();

    expect(state.written).toBe(`${set}${off}${FENCE}`);
    expect(answer('typed in the shell')).toBe(true);
  });

  test.for([
    '\x1b[?2l',
    '\x1b[?25;02l',
    '\x1b[?38h',
    '\x1b[2h',
    '\x1b[5i',
    '\x1b[?5i',
    '\x1b[1$}',
    '\x1b[2$~',
    '\xc2\x9b2h',
    '\x1b[?\x002l',
  ])('passes nothing on that would take the terminal from its user: %j', (sequence) => {
    for (const pieces of [[`a${sequence}b`], Array.from(`a${sequence}b`)]) {
      const { state, write } = setUp();
      for (const piece of pieces) write(piece);
      expect(state.written.replaceAll(/[\0\x7f]/g, '')).toBe('ab');
    }
  });

  test.for(['\x1b[12h', '\x1b[?22h', '\x1b[2l', '\x1b[>2h', '\x1b[2 i'])('passes %j on', (sequence) => {
    const { state, write } = setUp();
    write(`a${sequence}b`);
    expect(state.written).toBe(`a${sequence}b`);
  });

  test('waits for as many answers of the kind as were asked for', async () => {
    const { client, write, answer } = setUp();
    write('\x1b[c\x1b[0c');
    let isSettled = false;
    const settled = client.settle().then(() => (isSettled = true));

    answer('\x1b[?1;2c\x1b[?1;2c');
    await Promise.resolve();
    expect(isSettled).toBe(false);
    answer('\x1b[?1;2c');

    expect(await settled).toBe(true);
  });

  test('forgets questions that a terminal passes over', async () => {
    const { state, client, write, answer } = setUp();
    write('\x1b[?u\x1b[c');
    answer('\x1b[?62c');
    write('\x1b]11;?\x07');
    state.nowMs = 10_000;

    await client.settle();

    expect(state.written).not.toContain(`\x07${FENCE}`);
  });

  test('passes on what is put into the clipboard, and no question for it, however that was split', () => {
    const c1 = ['a\xc2\x9d52;c;?\xc2\x9cb'];
    for (const pieces of [
      c1,
      ['a\xc2', '\x9d52;c;?\xc2', '\x9cb'],
      ['a\x1b]52;c;?\xc2\x9cb'],
      ['a\x1b]52;c;?\x07b'],
      ['a\x1b', ']52', ';c;', '?\x1b', '\\b'],
      ['a\x1b]52;c;?', '\x07b'],
    ]) {
      const { state, write } = setUp();
      for (const piece of pieces) write(piece);
      expect(state.written).toBe('ab');
    }
    const { state, write } = setUp();
    write('\x1b]52;c;aGk=\x07');
    expect(state.written).toBe('\x1b]52;c;aGk=\x07');
  });

  test('passes on no question for the clipboard that is written as only a terminal reads it', () => {
    const many = 20_000;
    for (const body of [
      '052;c;?',
      '5\x012;c;?',
      '52\x7f;c;\b?',
      '52;c;?more',
      `${'0'.repeat(many)}52;c;?`,
      `52;${'c'.repeat(many)};?`,
      `5\x01${'\x02'.repeat(many)}2;c;?`,
    ]) {
      for (const pieces of [[`a\x1b]${body}\x07b`], ['a\x1b]', body, '\x07b'], Array.from(`a\x1b]${body}\x07b`)]) {
        const { state, write } = setUp();
        for (const piece of pieces) write(piece);
        expect(state.written).toBe('ab');
      }
    }
    for (const controls of ['\x01', '\x02'.repeat(many)]) {
      for (const pieces of [[`a\x1b${controls}]52;c;?\x07b`], Array.from(`a\x1b${controls}]52;c;?\x07b`)]) {
        const { state, write } = setUp();
        for (const piece of pieces) write(piece);
        expect(state.written).toBe(`a${controls}b`);
      }
    }
    const long = `\x1b]1337;${'A'.repeat(many)}`;
    for (const pieces of [
      [`${long}\x1b`, ']52;c;?\x07b'],
      [long, 'A\x1b', ']52;c;?\x07b'],
      [long, 'A\xc2', '\x9c\x1b]52;c;?\x07b'],
    ]) {
      const { state, write } = setUp();
      for (const piece of pieces) write(piece);
      expect(state.written.slice(many)).not.toContain('52;');
      expect(state.written.endsWith('b')).toBe(true);
    }
    const { state, write } = setUp();
    const put = `\x1b]52;c;${'aGk='.repeat(many)}\x07`;
    write(put.slice(0, many));
    write(put.slice(many));
    expect(state.written).toBe(put);
  });

  test('passes on no question for margins that the model has not', () => {
    const { state, write } = setUp();
    write('a\x1b[?69$p\x1b[?2026$pb');
    expect(state.written).toBe('a\x1b[?2026$pb');
  });

  test('shows at once what comes behind a sequence that ends by itself, and the name of a window', () => {
    for (const text of [
      '\xc2\x9etext',
      '\xc2\x90\xc2\x9f\xc2\x98text',
      '\xc2\x9dtext',
      '\x1b]Rtext',
      '\x1b]P0aabbcctext',
      '\x1bkname\x1b\\text',
    ]) {
      const { state, write } = setUp();
      for (const byte of text) write(byte);
      expect(state.written).toBe(text);
    }
  });

  test('ends a picture that is left in the midst of it, before anything else is shown', () => {
    const picture = `\x1bPq${'A'.repeat(20_000)}`;
    for (const leave of [(one: ClientTerminal) => one.restore(), (one: ClientTerminal) => one.redraw(Buffer.from('drawn'))]) {
      const { state, client, write } = setUp();
      write(picture);
      expect(state.ifKilled).toBe('\x18\x1b\\\r\nfarewell\r\n');
      leave(client);
      expect(state.written.slice(picture.length)).toMatch(/^\x18\x1b\\(?:drawn)?$/);
    }
    const { state, client, write } = setUp();
    write(picture);
    write('A\x1b\\');
    expect(state.ifKilled).toBe('\r\nfarewell\r\n');
    state.written = '';
    client.restore();
    expect(state.written).toBe('');
  });

  test('puts back what was set by controls of C1, and takes no letter for one', () => {
    const { state, client, write } = setUp();
    write('\xc2\xa0\xc2\xabtext\xc2\xbb\xc3\x9b\xc2\x9b?1000h\xc2\x85\xe2\x82\xac');
    state.written = '';
    client.restore();
    expect(state.written).toBe('\x1b[?1000l');
    for (const letter of ['\xc2', '\xa0']) write(letter);
    expect(state.written).toBe('\x1b[?1000l\xc2\xa0');
  });

  test('says before each mode how to put the terminal back if it is killed', () => {
    const { state, write } = setUp();
    write('text');
    expect(state.ifKilled).toBe('\r\nfarewell\r\n');
    write('\x1b[?1000h\x1b[31m');
    expect(state.ifKilled).toBe('\x1b[0m\x1b[?1000l\r\nfarewell\r\n');
    state.ifKilled = '';

    write('more text\x1b[32m');

    expect(state.ifKilled).toBe('');
  });

  test('puts everything back, the title too, and before a drawing from the start', () => {
    const { state, client, write } = setUp();
    write('\x1b]2;its own\x07\x1b[?1000h\x1b[?1049h');
    expect(state.written.startsWith('\x1b[22;0t\x1b]2;its own\x07')).toBe(true);
    state.written = '';

    client.redraw(Buffer.from('\x1b[?25lagain'));
    expect(state.written).toBe('\x1b[?1000l\x1b[?1049l\x1b[?25lagain');
    state.written = '';
    client.restore();
    client.restore();

    expect(state.written).toBe('\x1b[?25h\x1b[23;0t');
  });

  test('is put back from colours and usual modes as soon as they may be set without it', () => {
    const { state, client } = setUp();
    client.isPassedBy();

    expect(client.mayPassDirectly()).toBe(true);
    for (const reset of ['\x1b[0m', '\x1b[?1l', '\x1b[?25h', '\x1b>', '\x1b[?2004l']) expect(state.ifKilled).toContain(reset);
    client.restore();
    expect(state.written).toBe('\x1b[0m\x1b[?2026l\x1b[?1l\x1b[?25h\x1b>\x1b[?2004l');
  });

  test('lets nobody else write in the middle of a sequence, or while it waits for answers', () => {
    const { client, write, answer } = setUp();
    client.isPassedBy();
    write('\x1b[3');
    expect(client.mayPassDirectly()).toBe(false);
    write('1m\x1b[6n');
    expect(client.mayPassDirectly()).toBe(true);
    void client.settle();
    expect(client.mayPassDirectly()).toBe(false);
    answer('\x1b[1;1R\x1b[?62c');
  });
});
