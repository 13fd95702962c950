import { bytesFromText, displayBytes } from '../bytes.ts';
import { mapPaths, type PathKey, type Profile, type SourcedText } from './profile-type.ts';

/** A resolved profile as a file that means the same, each line with where it comes from. */
export function renderProfile(profile: Profile): string {
  const filesystem = [
    ...Object.entries(profile.paths).flatMap(([key, list]) => renderList(key, list)),
    ...renderTable('create_file', profile.madeFiles),
  ];
  const tables: readonly (readonly [header: string, lines: readonly string[]])[] = [
    ['', [...renderValue('description', profile.description, ''), ...renderValue('ask', profile.asks, false)]],
    ['[workdir]', renderValue('access', profile.workdirAccess, undefined)],
    ['[filesystem]', filesystem],
    ['[network]', renderValue('block', profile.blocksNetwork, false)],
    [
      '[environment]',
      [
        ...renderList('allow_vars', profile.allowedVariables),
        ...renderList('deny_vars', profile.deniedVariables),
        ...renderTable('set_vars', profile.setVariables),
      ],
    ],
    [
      '[rollback]',
      [
        ...renderList('exclude_patterns', profile.excludePatterns),
        ...renderList('exclude_globs', profile.excludeGlobs),
        ...renderList('track', profile.tracked),
      ],
    ],
  ];
  const parts = tables
    .filter(([, lines]) => lines.length > 0)
    .map(([header, lines]) => lines.toSpliced(0, 0, ...(header === '' ? [] : [header])).join('\n'));
  const heading = `# ${safe(profile.name)}, made of ${profile.files.map(safe).join(', ')}`;
  return `${[heading, ...parts].join('\n\n')}\n`;
}

/** The same for scripts. */
export function profileDocument(profile: Profile) {
  const entries = (list: readonly SourcedText[]) => list.map(({ text, place }) => ({ value: text, place }));
  const named = (table: ReadonlyMap<string, SourcedText>) =>
    Array.from(table, ([name, { text, place }]) => ({ name, value: text, place }));
  const paths: Readonly<Record<PathKey, unknown>> = mapPaths((key) => profile.paths[key]);
  return {
    name: profile.name,
    description: profile.description,
    files: profile.files,
    ask: profile.asks,
    workdir: { access: profile.workdirAccess },
    filesystem: {
      ...Object.fromEntries(Object.entries(paths).map(([key]) => [key, entries(profile.paths[key as PathKey])])),
      create_file: named(profile.madeFiles),
    },
    network: { block: profile.blocksNetwork },
    environment: {
      allow_vars: entries(profile.allowedVariables),
      deny_vars: entries(profile.deniedVariables),
      set_vars: named(profile.setVariables),
    },
    rollback: {
      exclude_patterns: entries(profile.excludePatterns),
      exclude_globs: entries(profile.excludeGlobs),
      track: entries(profile.tracked),
    },
  };
}

function renderValue(key: string, value: string | boolean, unset: string | boolean | undefined): readonly string[] {
  return value === unset ? [] : [`${key} = ${quoted(value)}`];
}

function renderList(key: string, list: readonly SourcedText[]): readonly string[] {
  if (list.length === 0) return [];
  return [`${key} = [`, ...list.map(({ text, place }) => `  ${quoted(text)}, # ${safe(place)}`), ']'];
}

function renderTable(key: string, entries: ReadonlyMap<string, SourcedText>): readonly string[] {
  return Array.from(entries, ([name, { text, place }]) => `${key}.${quoted(name)} = ${quoted(text)} # ${safe(place)}`);
}

/** JSON's texts are TOML's, but for DEL, which TOML wants escaped and a terminal not shown, and for what turns text around. */
function quoted(value: string | boolean): string {
  return JSON.stringify(value).replaceAll(/[\u007f-\u009f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069\ufeff]/g, (character) => {
    return `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`;
  });
}

function safe(text: string): string {
  return displayBytes(bytesFromText(text));
}
