import { describe, expect, test } from 'vitest';
import { createXterm, resizeXterm } from '../../../src/terminal/xterm.ts';

describe('createXterm()', () => {
  test('finds in the installed @xterm/headless what is read beyond its public interface', () => {
    const { core } = createXterm({ columns: 10, rows: 2 }, 5);
    const { normal, alt, active } = core._bufferService.buffers;
    core._inputHandler._parser.parse(
      Uint32Array.from('\x1b[1mx', (character) => character.codePointAt(0) ?? 0),
      5,
    );

    expect(active).toBe(normal);
    expect([normal.x, normal.y, normal.ybase, normal.scrollTop, normal.scrollBottom]).toEqual([1, 0, 0, 0, 1]);
    expect([alt.savedX, alt.savedY, alt.savedCharset]).toEqual([0, 0, undefined]);
    expect(normal.tabs[8]).toBe(true);
    const line = normal.lines.get(0);
    expect(line?._data).toBeInstanceOf(Uint32Array);
    expect([line?.length, line?.isWrapped, line?._combined, line?._extendedAttrs]).toEqual([10, false, {}, {}]);
    expect(line?.translateToString(true)).toBe('x');
    expect(normal.addMarker(1).line).toBe(1);
    expect([...(line?._data.subarray(0, 3) ?? [])]).toEqual([(1 << 22) | 0x78, 0x8000000, 0]);
    expect(core._inputHandler._parser.currentState).toBe(0);
    expect(core._inputHandler._parser._transitions).toHaveProperty('add', expect.any(Function));
    expect(core._inputHandler._parser._oscParser).toMatchObject({ start: expect.any(Function), put: expect.any(Function) });
    expect(core._inputHandler._parser._dcsParser).toMatchObject({ hook: expect.any(Function), put: expect.any(Function) });
    expect(line).toHaveProperty('addCodepointToCell', expect.any(Function));
    expect(core._inputHandler._curAttrData).toMatchObject({ fg: 0x8000000, bg: 0, extended: { _ext: 0, _urlId: 0 } });
    expect(core._charsetService).toMatchObject({ glevel: 0, _charsets: [] });
    expect(core.coreService).toMatchObject({
      decPrivateModes: { origin: false, wraparound: true },
      modes: { insertMode: false },
    });
    expect(core.unicodeService.charProperties(0x301, core.unicodeService.charProperties(0x65, 0)) & 7).toBe((1 << 1) | 1);
    expect(core.unicodeService.charProperties(0x65e5, 0) & 7).toBe(2 << 1);
    expect([normal.ydisp, normal.savedY]).toEqual([0, 0]);
    for (const name of ['get', 'set', 'recycle', 'trimStart'] as const) expect(normal.lines[name]).toBeTypeOf('function');
    const LineOf = normal.getBlankLine().constructor as new (length: number, cell: unknown) => typeof line;
    expect(new LineOf(0, normal.getNullCell())).toMatchObject({ length: 0, isWrapped: false, _combined: {}, _extendedAttrs: {} });
    for (const name of ['fullReset', '_resetBufferLine', '_eraseInBufferLine'] as const) {
      expect(core._inputHandler[name]).toBeTypeOf('function');
    }
  });

  test('counts columns by the current table: emoji, joined ones, flags, accents', () => {
    const columnsOf = (text: string) => {
      const { core } = createXterm({ columns: 20, rows: 1 }, 0);
      const codes = Uint32Array.from(Array.from(text, (character) => character.codePointAt(0) ?? 0));
      core._inputHandler._parser.parse(codes, codes.length);
      return core._bufferService.buffers.active.x;
    };

    expect(['a', 'é', 'e\u0301', '日', '👍', '👍🏽', '👩‍👩‍👧‍👦', '🇩🇪', '❤️', '각'].map(columnsOf)).toEqual([
      1, 1, 1, 2, 2, 2, 2, 2, 2, 2,
    ]);
  });
});

describe('resizeXterm()', () => {
  /** The only row of a terminal that was written to and has four columns since. */
  function cutToFour(columns: number, written: string) {
    const xterm = createXterm({ columns, rows: 1 }, 10);
    const codes = Uint32Array.from(Array.from(written, (character) => character.codePointAt(0) ?? 0));
    xterm.core._inputHandler._parser.parse(codes, codes.length);
    resizeXterm(xterm, { columns: 4, rows: 1 });
    const { active } = xterm.core._bufferService.buffers;
    const line = active.lines.get(active.ybase);
    return { text: line?.translateToString(false), widths: Array.from({ length: 4 }, (_, column) => line?.getWidth(column)) };
  }

  test('leaves no half of a wide character at the edge of a narrower alternate screen', () => {
    expect(cutToFour(7, '\x1b[?1049h\x1b[1;3Ha日b')).toEqual({ text: '  a ', widths: [1, 1, 1, 1] });
  });

  test('leaves none of the line that the cursor is on, which is cut and not wrapped', () => {
    expect(cutToFour(7, 'abc日')).toEqual({ text: 'abc ', widths: [1, 1, 1, 1] });
    expect(cutToFour(5, 'abc👍🏽')).toEqual({ text: 'abc ', widths: [1, 1, 1, 1] });
  });

  test('leaves a wide character that ends at the edge', () => {
    expect(cutToFour(7, 'ab日d')).toEqual({ text: 'ab日', widths: [1, 1, 2, 0] });
  });
});
