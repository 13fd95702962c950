import { CFunction, FFIType, type Pointer } from 'bun:ffi';
import { beforeEach, describe, expect, it } from 'vitest';
import { compileBulkFilesOnce } from '../../src/platform/linux/bulk-files.ts';
import { encodeImage, imageOf, loadImage, type PlacedCode } from '../../src/platform/linux/code-image.ts';
import { compileC } from '../../src/platform/linux/compile-c.ts';
import { compileLaunchOnce } from '../../src/platform/linux/launch/load.ts';
import { compileMediatorOnce } from '../../src/platform/linux/mediator/compile.ts';
import { placedCode, placesOf, WHERE } from '../../src/platform/linux/placed-code.ts';
import { compileRelayOnce } from '../../src/platform/linux/relay/load.ts';

/** A string, data with a first value, a table of addresses, and a counter that begins at nothing. */
const SOURCE = `
static char start_of_data[8] __attribute__((aligned(4096))) = { 1 };
static const char start_of_constants[8] = { 1 };
static long twice(long value) { return value * 2; }
static long thrice(long value) { return value * 3; }
static const char *text = "abc";
static long (*functions[])(long) = { twice, thrice };
static long count;
static long run(long value) { count++; return functions[value & 1](value) * 1000 + text[value & 1] + count * 1000000; }
static char end_of_data[8];
static const char end_of_constants[8] = { 1 };
static char end_of_initialized[8] = { 1 };
static void end_of_code(void);
void *where(long what) {
  void *places[7];
  places[0] = run; places[1] = end_of_code; places[2] = (void *)start_of_constants; places[3] = (void *)(end_of_constants + 8);
  places[4] = start_of_data; places[5] = end_of_initialized + 8; places[6] = end_of_data + 8;
  return places[what];
}
static void end_of_code(void) {}
`;

function compileOnce(): PlacedCode {
  return placedCode(placesOf(compileC('test.c', SOURCE, { where: WHERE }).where));
}

describe('imageOf()', () => {
  beforeEach(({ skip }) => {
    if (process.arch !== 'x64') skip('images are made by x64 for x64 (codeImages() of scripts/lib/compile.mjs)');
  });

  it('makes code that runs wherever it is put, each copy with its own data', () => {
    const made = imageOf([compileOnce(), compileOnce()]);
    const image = encodeImage(made);
    expect(made.pointers.length).toBeGreaterThanOrEqual(3);
    for (let copy = 0; copy < 3; copy++) {
      const { entry } = loadImage(image);
      const run = CFunction({ ptr: entry as Pointer, args: [FFIType.i64_fast], returns: FFIType.i64_fast });
      expect(Number(run(4))).toBe(1_008_097);
      expect(Number(run(5))).toBe(2_015_098);
    }
  });

  it.for([
    ['the mediator', compileMediatorOnce],
    ['a launch', compileLaunchOnce],
    ['a relay', compileRelayOnce],
    ['what does many files at once', compileBulkFilesOnce],
  ] as const)('makes the same code of %s, each time', ([, compile]) => {
    const [one, other] = [1, 2].map(() => encodeImage(imageOf([compile(), compile()])));
    // Without showing them where they differ: they are long.
    expect(one === other).toBe(true);
  });

  it('finds nothing in the mediator that refers to memory outside', () => {
    const { pointers, sizeBytes, bytes } = imageOf([compileMediatorOnce(), compileMediatorOnce()]);
    const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    for (const at of pointers) expect(Number(view.getBigInt64(at, true))).toBeLessThan(sizeBytes);
  });

  it('refuses code whose bytes differ otherwise', () => {
    const [one, other] = [compileOnce(), compileOnce()];
    const changed = { ...other, bytes: other.bytes.slice() };
    changed.bytes[8] = (changed.bytes[8] ?? 0) ^ 1;
    expect(() => imageOf([one, changed])).toThrow('depends on where it stands');
    expect(() => imageOf([one])).toThrow('one place only');
  });
});
