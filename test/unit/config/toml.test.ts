import { describe, expect, test } from 'vitest';
import { parseToml } from '../../../src/config/toml.ts';
import type { TomlValue } from '../../../src/config/toml-value.ts';

/** Every key with its line, in the order of the document: `a.b[0].c:3`. */
function keyLines(value: TomlValue, path = ''): string[] {
  if (value.kind === 'array') return value.value.flatMap((item, index) => keyLines(item, `${path}[${index}]`));
  if (value.kind !== 'table') return [];
  return [...value.value].flatMap(([name, entry]) => {
    const inner = path === '' ? name : `${path}.${name}`;
    return [`${inner}:${entry.line}`, ...keyLines(entry.value, inner)];
  });
}

const DOCUMENT = `# first line is a comment

top = 1
"quoted key" = [
  1, # [not.a.table]
  { inner = "#" },
]
text = """
[looks.like]
a = "table"
"""
[a.'b'] # note
c.d = '''
x = 1'''
  e   =   "\\"]"
[[list]]
f = 1
[list.g]
h = 2

[[list]]
f = 3
[a]
late = true
`;

describe('parseToml()', () => {
  test('keeps the line of each key', () => {
    expect(keyLines(parseToml(DOCUMENT, 'f'))).toEqual([
      'top:3',
      'quoted key:4',
      'quoted key[1].inner:6',
      'text:8',
      'a:12',
      'a.b:12',
      'a.b.c:13',
      'a.b.c.d:13',
      'a.b.e:15',
      'a.late:24',
      'list:16',
      'list[0].f:17',
      'list[0].g:18',
      'list[0].g.h:19',
      'list[1].f:22',
    ]);
  });

  test.for([
    ['a = 1', 1],
    ['a = "\\u00e9\\U0001F600\\t"', 'é😀\t'],
    ["a = 'C:\\new'", 'C:\\new'],
    ['a = """\n  x \\\n   y"""', '  x y'],
    ['a = """""two""\\"""""', '""two""""'],
    ["a = ''''quoted'''''", "'quoted''"],
    ['a = 0xFF_FF', 65535],
    ['a = 0o17', 15],
    ['a = -1_000', -1000],
    ['a = 6.02e2_3', 6.02e23],
    ['a = -inf', Number.NEGATIVE_INFINITY],
    ['a = 1979-05-27 07:32:00Z', '1979-05-27 07:32:00Z'],
    ['\ufeffa = true\r\n', true],
  ] as const)('reads %j', ([text, value]) => {
    expect(parseToml(text, 'f').value.get('a')?.value.value).toBe(value);
  });

  test.for([
    ['a = 1\nb = ', 'f:2: expected a value'],
    ['a', 'f:1: expected "=" after the key'],
    ['= 1', 'f:1: expected a key'],
    ['a = 1 b = 2', 'f:1: expected the end of the line'],
    ['a = x', 'f:1: "x" is no value, a text needs quotes'],
    ['a = 01', 'f:1: "01" is no value, a text needs quotes'],
    ['a = 1__0', 'f:1: "1__0" is no value, a text needs quotes'],
    ['\n\na = "x\ny"', 'f:3: the text that begins here has no end'],
    ['a = """\n\n', 'f:1: the text that begins here has no end'],
    ["a = '''\n\n", 'f:1: the text that begins here has no end'],
    ['a = "\\q"', 'f:1: "\\q" is no escape of TOML'],
    ['a = "\\ud800"', 'f:1: "\\ud800" is no escape of TOML'],
    ['a = [1,\n2', 'f:2: expected "," or "]" in the array of line 1'],
    ['a = { b = 1', 'f:1: expected "," or "}" in the inline table'],
    ['a = { b = 1,\n c = 2 }', 'f:1: expected a key'],
    ['[a\nb = 1', 'f:1: expected "]" after the table\'s name'],
    ['[[a]\n', 'f:1: expected "]]" after the table\'s name'],
    ['a = 1\na = 2', 'f:2: "a" is given a second time, first in line 1'],
    ['[a]\n[b]\n[a]', 'f:3: "a" is given a second time, first in line 1'],
    ['a = 1\n[a.b]', 'f:2: "a" is given a second time, first in line 1'],
    ['a = { b = 1 }\na.c = 2', 'f:2: "a" is given a second time, first in line 1'],
    ['a = [{ b = 1 }]\n[[a]]', 'f:2: "a" is given a second time, first in line 1'],
    ['a.b = 1\n[a]', 'f:2: "a" is given a second time, first in line 1'],
    ['a = 9007199254740993', 'f:1: 9007199254740993 is too large'],
    ['ok = 1\nbell = "\u0007"', 'f:2: a control character stands here'],
    ['a = 1\rb = 2', 'f:1: a control character stands here'],
  ] as const)('refuses %j', ([text, message]) => {
    expect(() => parseToml(text, 'f')).toThrow(expect.objectContaining({ message, code: 'E_CONFIG' }));
  });

  test.for([
    { what: 'arrays', text: `a = ${'['.repeat(100_000)}`, message: 'f:1: arrays and tables are nested too deeply' },
    { what: 'inline tables', text: `a = ${'{a = '.repeat(100_000)}`, message: 'f:1: arrays and tables are nested too deeply' },
    { what: 'dotted keys', text: `${'a.'.repeat(100_000)}a = 1`, message: 'f:1: the key has too many parts' },
  ])('refuses a depth that would exhaust the stack: $what', ({ text, message }) => {
    expect(() => parseToml(text, 'f')).toThrow(expect.objectContaining({ message }));
  });

  test('keeps names of built-in properties apart from what all objects inherit', () => {
    const names = [...parseToml('[constructor]\nx = 1\n[__proto__]\nx = 1\n[toString]\nx = 1', 'f').value.keys()];

    expect(names).toEqual(['constructor', '__proto__', 'toString']);
    expect(Object.hasOwn(Object, 'x')).toBe(false);
    expect('x' in {}).toBe(false);
  });
});
