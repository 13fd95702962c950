import { type Bytes, displayBytes } from '../bytes.ts';
import { DamageError } from '../errors.ts';
import type { DeltaStat } from '../rollback/delta-stat.ts';
import type { FileDelta } from '../rollback/file-delta.ts';
import type { GitChange } from '../rollback/git-changes.ts';
import type { Trap } from '../rollback/traps.ts';
import { renderHtmlDiff } from './html-diff.ts';
import { HTML_STYLE } from './html-style.ts';
import { escapeHtml, htmlBytes } from './html-text.ts';
import { compareForScreen, deltaFacts } from './screen-diff.ts';
import { formatSize } from './size.ts';

/** What the page shows. All texts are as they are to be read, not escaped. */
export interface HtmlReport {
  readonly title: string;
  /** Names and values, in their order. */
  readonly facts: readonly (readonly [name: string, value: string])[];
  readonly timeline: readonly { readonly time: string; readonly label: string; readonly counts: string }[];
  readonly files: readonly HtmlFile[];
  readonly traps: readonly Trap[];
  readonly git: readonly GitChange[];
  /** Base64 of the SHA-256 of HTML_STYLE. */
  readonly styleHash: string;
}

export interface HtmlFile {
  /** `+`, `-`, `~`, `p`. */
  readonly mark: string;
  /** Relative to the root. */
  readonly name: Bytes;
  readonly stat: DeltaStat | undefined;
  /** Undefined for a directory. */
  readonly delta: FileDelta | undefined;
}

/** Folded when there are more, so that a page of a thousand files opens at once. */
const OPEN_FILES_MAXIMUM = 20;

/**
 * One HTML file that needs nothing else and may do nothing: no script, no address, no form. Whatever is in names and
 * contents is text there.
 */
export function* renderHtmlReport(report: HtmlReport): Generator<string> {
  const policy = `default-src 'none'; style-src 'sha256-${report.styleHash}'; base-uri 'none'; form-action 'none'`;
  yield '<!DOCTYPE html>\n<html lang="en">\n<head>\n<meta charset="utf-8">\n';
  yield `<meta http-equiv="Content-Security-Policy" content="${policy}">\n`;
  yield '<meta name="viewport" content="width=device-width, initial-scale=1">\n<meta name="referrer" content="no-referrer">\n';
  yield `<title>${escapeHtml(report.title)}</title>\n<style>${HTML_STYLE}</style>\n</head>\n<body>\n`;
  yield `<h1>${escapeHtml(report.title)}</h1>\n<dl>\n`;
  for (const [name, value] of report.facts) yield `<dt>${escapeHtml(name)}</dt><dd>${escapeHtml(value)}</dd>\n`;
  yield '</dl>\n';
  yield* renderTraps(report.traps);
  yield* renderGit(report.git);
  yield '<h2>Snapshots</h2>\n<ol start="0">\n';
  for (const { time, label, counts } of report.timeline) {
    yield `<li><b>${escapeHtml(label)}</b> <span class="faint">${escapeHtml(time)}</span> ${escapeHtml(counts)}</li>\n`;
  }
  yield '</ol>\n<h2>Files</h2>\n<nav class="tree">\n';
  yield* renderTree(buildTree(report.files));
  yield '</nav>\n<main>\n';
  for (const [index, file] of report.files.entries()) {
    yield* renderFile(file, { index, isOpen: report.files.length <= OPEN_FILES_MAXIMUM });
  }
  yield '</main>\n</body>\n</html>\n';
}

function* renderTraps(traps: readonly Trap[]): Generator<string> {
  if (traps.length === 0) return;
  yield '<h2 class="warning">Look at these first: they can run something outside the sandbox</h2>\n<ul>\n';
  for (const { path, reason } of traps) yield `<li><code>${htmlBytes(path)}</code>: ${escapeHtml(reason)}</li>\n`;
  yield '</ul>\n';
}

function* renderGit(git: readonly GitChange[]): Generator<string> {
  if (git.length === 0) return;
  yield '<h2>Moved in .git, which no restore touches</h2>\n<ul>\n';
  for (const { text, takeBack, reason } of git) {
    const warning = reason === undefined ? '' : ` <span class="warning">${escapeHtml(reason)}</span>`;
    const commands = takeBack.length === 0 ? '' : `<pre>${escapeHtml(takeBack.join('\n'))}</pre>`;
    yield `<li>${escapeHtml(text)}${warning}${commands}</li>\n`;
  }
  yield '</ul>\n';
}

interface TreeNode {
  readonly directories: Map<string, TreeNode>;
  readonly files: { readonly name: string; readonly index: number; readonly file: HtmlFile }[];
}

function buildTree(files: readonly HtmlFile[]): TreeNode {
  const top: TreeNode = { directories: new Map(), files: [] };
  for (const [index, file] of files.entries()) {
    const parts = file.name.split('/');
    const name = parts.pop() ?? '';
    let node = top;
    for (const part of parts) {
      const next = node.directories.get(part) ?? { directories: new Map(), files: [] };
      node.directories.set(part, next);
      node = next;
    }
    node.files.push({ name, index, file });
  }
  return top;
}

function* renderTree(node: TreeNode): Generator<string> {
  yield '<ul>\n';
  for (const [name, below] of node.directories) {
    yield `<li><details open><summary>${htmlBytes(name as Bytes)}/ <span class="faint">${countBelow(below)}</span></summary>\n`;
    yield* renderTree(below);
    yield '</details></li>\n';
  }
  for (const { name, index, file } of node.files) {
    yield `<li>${escapeHtml(file.mark)} <a href="#f${index}">${htmlBytes(name as Bytes)}</a> ${renderStat(file.stat)}</li>\n`;
  }
  yield '</ul>\n';
}

function countBelow({ directories, files }: TreeNode): number {
  let count = files.length;
  for (const below of directories.values()) count += countBelow(below);
  return count;
}

function renderStat(stat: DeltaStat | undefined): string {
  if (stat === undefined) return '';
  if (stat.kind !== 'lines') return `<span class="faint">${formatSize(stat.before)} → ${formatSize(stat.after)}</span>`;
  const plus = stat.added === 0 ? '' : `<span class="plus">+${stat.added}</span>`;
  return `${plus} ${stat.removed === 0 ? '' : `<span class="minus">-${stat.removed}</span>`}`.trim();
}

function* renderFile(
  { mark, name, stat, delta }: HtmlFile,
  { index, isOpen }: { readonly index: number; readonly isOpen: boolean },
): Generator<string> {
  const facts = delta === undefined ? [] : deltaFacts(delta);
  const note = facts.length === 0 ? '' : ` <span class="faint">${escapeHtml(facts.join(', '))}</span>`;
  yield `<details class="file" id="f${index}"${isOpen ? ' open' : ''}><summary>${escapeHtml(mark)} <b>${htmlBytes(name)}</b>${note} ${renderStat(stat)}</summary>\n`;
  if (delta !== undefined) yield* renderContent(delta);
  yield '</details>\n';
}

function* renderContent(delta: FileDelta): Generator<string> {
  try {
    const compared = compareForScreen(delta, 'side-by-side');
    if (compared.kind === 'same') yield '<p class="faint">The content is the same</p>\n';
    else if (compared.kind === 'binary') yield `<p class="faint">Binary: ${escapeHtml(compared.sizes)}</p>\n`;
    else {
      yield* renderHtmlDiff(compared.events);
      if (compared.note !== undefined) yield `<p class="faint">${escapeHtml(compared.note)}</p>\n`;
    }
  } catch (error) {
    if (!(error instanceof DamageError)) throw error;
    yield `<p class="warning">${escapeHtml(displayBytes(error.message as Bytes))}</p>\n`;
  }
}
