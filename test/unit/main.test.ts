import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';

test('main.ts begins when all that it names is there: of a constant below, the bundler makes a variable that is undefined', () => {
  const source = readFileSync(new URL('../../src/main.ts', import.meta.url), 'utf8');

  expect(source.trimEnd().endsWith('\nawait main();')).toBe(true);
  expect(source.match(/^await main\(\);$/gm)).toHaveLength(1);
});
