import { readFileSync } from 'node:fs';

/** A fenced block of a document, with what a comment before it says about its test. */
export interface Block {
  readonly language: string;
  readonly text: string;
  /** The line of the fence, from 1. */
  readonly line: number;
  /** Why it is not run. */
  readonly skip: string | undefined;
  /** Runs on a terminal: what is waited for there, and the keys that are pressed then, by tmux's names. */
  readonly terminal: { readonly wait: string; readonly keys: readonly string[] } | undefined;
}

const FENCE_REGEXP = /^```(?<language>\w*)$/;
const NOTE_REGEXP = /^<!-- docs-test: (?<note>.*) -->$/;

/** The blocks of a page of Markdown, in their order. @throws {Error} for a fence that is not closed, and for a note that says nothing known. */
export function readBlocks(file: string): readonly Block[] {
  const lines = readFileSync(file, 'utf8').split('\n');
  const blocks: Block[] = [];
  for (let at = 0; at < lines.length; at++) {
    const language = FENCE_REGEXP.exec(lines[at] ?? '')?.groups?.['language'];
    if (language === undefined) continue;
    const end = lines.indexOf('```', at + 1);
    if (end < 0) throw new Error(`${file}:${at + 1}: the fence is not closed`);
    const note = NOTE_REGEXP.exec(lines[at - 1] ?? '')?.groups?.['note'];
    blocks.push({ language, text: `${lines.slice(at + 1, end).join('\n')}\n`, line: at + 1, ...readNote(note, `${file}:${at}`) });
    at = end;
  }
  return blocks;
}

function readNote(note: string | undefined, place: string): Pick<Block, 'skip' | 'terminal'> {
  if (note === undefined) return { skip: undefined, terminal: undefined };
  const skip = /^skip "(.+)"$/.exec(note)?.[1];
  if (skip !== undefined) return { skip, terminal: undefined };
  const [, wait, keys] = /^terminal, wait "(.+)", keys "(.+)"$/.exec(note) ?? [];
  if (wait === undefined || keys === undefined) throw new Error(`${place}: cannot read the note "${note}"`);
  return { skip: undefined, terminal: { wait, keys: keys.split(' ') } };
}
