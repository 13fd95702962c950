import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { assemble, CODE, MAXIMUM_INSTRUCTIONS, type Statement } from '../../../../src/sandbox/linux/bpf.ts';
import { is, jump, label, load, returns, switchOn } from '../../../../src/sandbox/linux/bpf-words.ts';
import { checkAsKernel, simulate } from './bpf-simulator.ts';

const call = (number: number) => ({ number, architecture: 0 });
const filler = (count: number): Statement[] => Array.from({ length: count }, () => load(0));

describe('assemble()', () => {
  test('counts jumps from the next instruction', () => {
    expect(assemble([load(0), is('equal', 7, { yes: 'end' }), returns(1), label('end'), returns(2)])).toEqual([
      [CODE.load, 0, 0, 0],
      [CODE.equal, 1, 0, 7],
      [CODE.return, 0, 0, 1],
      [CODE.return, 0, 0, 2],
    ]);
  });

  test.for([
    { between: 255, instructions: 259 },
    { between: 256, instructions: 260 },
    { between: 1000, instructions: 1004 },
  ])('reaches a label $between instructions away', ({ between, instructions }) => {
    const program = assemble([load(0), is('equal', 7, { yes: 'far' }), ...filler(between), returns(1), label('far'), returns(2)]);

    checkAsKernel(program);
    expect(program.length).toBe(instructions + (between >= 255 ? 1 : 0));
    expect([7, 8].map((number) => simulate(program, call(number)).value)).toEqual([2, 1]);
  });

  test('reaches two far labels from one branch', () => {
    const statements = [
      load(0),
      is('greater', 7, { yes: 'more', no: 'less' }),
      ...filler(400),
      label('less'),
      returns(1),
      label('more'),
      returns(2),
    ];
    const program = assemble(statements);

    checkAsKernel(program);
    expect([6, 7, 8].map((number) => simulate(program, call(number)).value)).toEqual([1, 1, 2]);
  });

  test.for([
    { wrong: 'a label that is missing', statements: [jump('nowhere'), returns(0)] },
    { wrong: 'a label that is there twice', statements: [label('a'), label('a'), returns(0)] },
    { wrong: 'a jump backwards', statements: [label('a'), load(0), jump('a')] },
    { wrong: 'more instructions than the kernel takes', statements: filler(MAXIMUM_INSTRUCTIONS + 1) },
  ])('refuses $wrong', ({ statements }) => {
    expect(() => assemble(statements)).toThrow(RangeError);
  });
});

describe('switchOn()', () => {
  test('finds every value, and no other, whatever their number and distance', () => {
    const cases = fc.uniqueArray(fc.nat(600), { maxLength: 200 });
    fc.assert(
      fc.property(cases, fc.nat(300), (values, between) => {
        const targets = values.flatMap((value) => [label(`to-${value}`), returns(value + 1000)]);
        const program = assemble([
          load(0),
          ...switchOn(
            's',
            values.map((value) => [value, `to-${value}`]),
            'other',
          ),
          ...filler(between),
          ...targets,
          label('other'),
          returns(1),
        ]);

        checkAsKernel(program);
        for (let number = 0; number <= 601; number++) {
          expect(simulate(program, call(number)).value).toBe(values.includes(number) ? number + 1000 : 1);
        }
      }),
      { numRuns: 30 },
    );
  });
});
