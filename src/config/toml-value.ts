export type TomlValue =
  | { readonly kind: 'text'; readonly line: number; readonly value: string }
  | { readonly kind: 'integer' | 'float'; readonly line: number; readonly value: number }
  | { readonly kind: 'boolean'; readonly line: number; readonly value: boolean }
  | { readonly kind: 'date'; readonly line: number; readonly value: string }
  | { readonly kind: 'array'; readonly line: number; readonly value: readonly TomlValue[] }
  | TomlTable;

export interface TomlTable {
  readonly kind: 'table';
  /** Of its header, or of the key that made it. */
  readonly line: number;
  readonly value: ReadonlyMap<string, TomlEntry>;
}

/** `line` is the key's own, which differs from its value's for a table that was made in passing. */
export interface TomlEntry {
  readonly line: number;
  readonly value: TomlValue;
}
