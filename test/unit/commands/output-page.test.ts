import { readdirSync, readFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { describe, expect, test } from 'vitest';
import { EXIT } from '../../../src/errors.ts';

const source = resolve(import.meta.dirname, '../../../src');
const page = readFileSync(resolve(source, 'commands/OUTPUT.md'), 'utf8');

/** Every error code that the source can give. */
function codes(): readonly string[] {
  const files = readdirSync(source, { recursive: true, encoding: 'utf8' }).filter((file) => file.endsWith('.ts'));
  const found = files.flatMap((file) => readFileSync(resolve(source, file), 'utf8').match(/(?<=')E_[A-Z_]+(?=')/g) ?? []);
  return [...new Set(found)].sort();
}

describe('OUTPUT.md', () => {
  test('lists every error code of the source and no other', () => {
    const listed = page.match(/(?<=^\| `)E_[A-Z_]+(?=`)/gm) ?? [];

    expect([...listed].sort()).toEqual(codes());
  });

  test.for(Object.entries(EXIT))('names the exit status of %s', ([, status]) => {
    expect(page).toMatch(new RegExp(`^\\| ${status} \\|`, 'm'));
  });
});
