import { type Bytes, displayBytes } from '../../bytes.ts';
import { describeFailure, isErrno, NonoError, SystemError } from '../../errors.ts';
import { USERS_TO_REPAIR } from '../../rollback/cannot-store.ts';
import { type Change, countedChanges } from '../../rollback/compare.ts';
import type { FileDelta } from '../../rollback/file-delta.ts';
import { presentState } from '../../rollback/present.ts';
import { type RestoreAction, shownConflicts } from '../../rollback/restore-plan.ts';
import { markReviewed } from '../../rollback/reviewed.ts';
import { colourMark, displayPath } from '../../ui/change-lines.ts';
import { type DiffView, renderScreenDelta } from '../../ui/screen-diff.ts';
import { displayWidth, fitStart } from '../../ui/width.ts';
import type { Context } from '../context.ts';
import { chooseHunks } from './choose-hunks.ts';
import type { Dialogue } from './dialogue.ts';
import { type NamedSession, rollbackDeps } from './open-store.ts';
import { carryOut, planSteps, type RestoreSteps } from './restore-steps.ts';
import type { SessionView } from './session-view.ts';
import { summaryLines } from './summary.ts';

const KEYS = 'dorhnpakusq?';
const SHOWN_KEYS = '[d,o,r,h,n,p,a,k,u,q,?] ';
const HELP = [
  'd  the changes of this file',
  'o  old and new beside each other',
  'r  restore this file',
  'h  choose which changes to take back',
  'n  next file    p  the one before',
  'a  restore everything',
  'k  keep everything that is left',
  'u  undo the last restore',
  's  the summary  q  quit, as Ctrl-C',
];
/** Lines of a plan before the rest is counted. */
const ACTIONS_SHOWN = 12;

/** One line of the review: a change with what is known of the file. */
interface Item {
  readonly change: Change;
  readonly delta: FileDelta | undefined;
  /** Where it was before, when it was moved: both go together. */
  readonly paths: readonly Bytes[];
}

/** Looks through a session with the user and takes back what they do not want. Nothing is changed without a yes. */
export class Review {
  readonly #context: Context;
  readonly #named: NamedSession;
  readonly #view: SessionView;
  readonly #dialogue: Dialogue;
  readonly #items: readonly Item[];
  #at = 0;
  /** Sessions that undo the restores made here, the last one last. */
  readonly #undo: Bytes[] = [];

  constructor(context: Context, named: NamedSession, view: SessionView, dialogue: Dialogue) {
    this.#context = context;
    this.#named = named;
    this.#view = view;
    this.#dialogue = dialogue;
    this.#items = itemsOf(view);
  }

  async run(): Promise<void> {
    const { home, store, session } = this.#named;
    if (await this.#showSummary()) {
      for (let isOn = this.#items.length > 0; isOn; ) isOn = await this.#step();
    }
    if (home === store && !this.#view.state.isLive && this.#view.isWhole) markReviewed(session.directory);
    if (this.#undo.length > 0) return;
    this.#dialogue.line(
      this.#items.length === 0 ? 'Nothing to review' : `Kept. Undo with: nono rollback restore ${displayBytes(session.id)}`,
    );
  }

  #showSummary(): Promise<boolean> {
    const layout = { palette: this.#dialogue.palette, columns: this.#dialogue.columns, cutsNames: true };
    const lines = summaryLines(this.#view, this.#context, layout);
    return this.#dialogue.show(withNewlines(lines));
  }

  /** @returns false when the user is done. */
  async #step(): Promise<boolean> {
    const key = await this.#dialogue.ask(() => this.#prompt(), KEYS);
    try {
      return await this.#act(key);
    } catch (error) {
      // A restore that failed is said and leaves the rest to be reviewed.
      this.#dialogue.line(failureText(error));
      return true;
    }
  }

  async #act(key: string): Promise<boolean> {
    switch (key) {
      case 'd':
        return await this.#showFile('unified');
      case 'o':
        return await this.#showFile('side-by-side');
      case 'r':
        return await this.#restoreFile();
      case 'h':
        return await this.#chooseHunks();
      case 'n':
        return this.#move(1);
      case 'p':
        return this.#move(-1);
      case 'a':
        return await this.#restoreAll();
      case 'u':
        return await this.#undoLast();
      case 's':
        return await this.#showSummary();
      case '?':
        return await this.#dialogue.show(withNewlines(HELP));
      default:
        return false;
    }
  }

  get #item(): Item {
    return this.#items[this.#at] as Item;
  }

  #prompt(): string {
    const { columns, palette } = this.#dialogue;
    const { change } = this.#item;
    const place = `[${this.#at + 1}/${this.#items.length}] `;
    const name = this.#shown(change.path);
    const isOneLine = place.length + 2 + displayWidth(name) + 1 + SHOWN_KEYS.length < columns;
    const shownName = fitStart(name, columns - place.length - 3);
    return `${place}${colourMark(change.type, palette)} ${palette.strong(shownName)}${isOneLine ? ' ' : '\n'}${SHOWN_KEYS}`;
  }

  #shown(path: Bytes): string {
    return displayPath(path, this.#view.roots, this.#context.homeDirectory);
  }

  #move(by: number): true {
    const next = this.#at + by;
    if (next < 0) this.#dialogue.line('This is the first one');
    else if (next >= this.#items.length) this.#dialogue.line('This is the last one');
    else this.#at = next;
    return true;
  }

  async #showFile(form: DiffView): Promise<boolean> {
    const { delta, change } = this.#item;
    const dialogue = this.#dialogue;
    if (delta === undefined) {
      dialogue.line(change.type === 'p' ? 'Only its mode has changed' : 'A directory has nothing to compare');
      return true;
    }
    return await dialogue.show(renderScreenDelta(delta, form, { palette: dialogue.palette, columns: dialogue.columns }));
  }

  async #restoreFile(): Promise<boolean> {
    const steps = this.#plan(this.#item.paths);
    if (await this.#confirmAndCarryOut(steps, `Restore ${this.#shown(this.#item.change.path)}?`)) this.#next();
    return true;
  }

  #next(): void {
    if (this.#at + 1 < this.#items.length) this.#at += 1;
  }

  async #restoreAll(): Promise<boolean> {
    // Of what is looked at here.
    const { isWhole, changes } = this.#view;
    const steps = this.#plan(isWhole ? [] : changes.map(({ path }) => path));
    const count = steps.plan.actions.filter(({ type }) => type !== 'm').length;
    await this.#confirmAndCarryOut(steps, `Restore all ${count} ${count === 1 ? 'path' : 'paths'}?`);
    return true;
  }

  #plan(paths: readonly Bytes[]): RestoreSteps {
    // With the restores made here: what one has left is nobody else's change.
    const manifests = this.#named.store.manifests(() => undefined);
    return planSteps(this.#context, { ...this.#named, manifests }, { state: this.#view.state, snapshot: 0, paths });
  }

  /** @returns whether it was done. */
  async #confirmAndCarryOut({ request, plan }: RestoreSteps, question: string): Promise<boolean> {
    for (const { action, reason } of shownConflicts(plan.conflicts))
      this.#dialogue.line(`  Stays ${this.#shown(action.path)}: ${reason}`);
    if (plan.actions.length === 0) {
      this.#dialogue.line(plan.conflicts.length > 0 ? 'Nothing can be restored here' : 'It is as it was before the session');
      return false;
    }
    this.#listActions(plan.actions);
    if (!(await this.#dialogue.confirm(question))) {
      this.#dialogue.line('Nothing was changed');
      return false;
    }
    const outcome = await carryOut(this.#context, this.#named, request, plan.actions);
    for (const { action, reason } of outcome?.kept ?? []) this.#dialogue.line(`  Kept ${this.#shown(action.path)}: ${reason}`);
    if (outcome !== undefined) this.#restored(outcome.safetyId);
    return outcome !== undefined;
  }

  #listActions(actions: readonly RestoreAction[]): void {
    const shown = actions.filter(({ type }) => type !== 'm');
    for (const { path, type } of shown.slice(0, ACTIONS_SHOWN)) {
      this.#dialogue.line(`  ${colourMark(type, this.#dialogue.palette)} ${this.#shown(path)}`);
    }
    if (shown.length > ACTIONS_SHOWN) this.#dialogue.line(`  and ${shown.length - ACTIONS_SHOWN} more`);
  }

  #restored(safetyId: Bytes): void {
    this.#undo.push(safetyId);
    this.#dialogue.line(`Restored. Undo with u, or later: nono rollback restore ${displayBytes(safetyId)}`);
  }

  async #chooseHunks(): Promise<boolean> {
    const { delta } = this.#item;
    if (delta === undefined) {
      this.#dialogue.line('There are no lines to choose from');
      return true;
    }
    const choice = { context: this.#context, named: this.#named, view: this.#view, dialogue: this.#dialogue };
    const outcome = await chooseHunks(choice, delta);
    if (outcome.kind === 'restored') {
      this.#restored(outcome.safetyId);
      this.#next();
    } else if (outcome.kind === 'none') this.#dialogue.line('Nothing was changed');
    else if (outcome.kind !== 'end') this.#dialogue.line(`Left ${this.#shown(delta.path)}: ${outcome.reason}`);
    return outcome.kind !== 'end';
  }

  async #undoLast(): Promise<boolean> {
    const last = this.#undo.at(-1);
    if (last === undefined) {
      this.#dialogue.line('Nothing was restored here');
      return true;
    }
    const { store } = this.#named;
    using session = store.open(last);
    const named = { ...this.#named, home: store, session };
    const state = await presentState(rollbackDeps(this.#context), session);
    const { request, plan } = planSteps(this.#context, named, { state, snapshot: 0, paths: [] });
    this.#listActions(plan.actions);
    if (plan.conflicts.length > 0) this.#dialogue.line(`${plan.conflicts.length} changed since and stay`);
    if (!(await this.#dialogue.confirm('Undo the last restore?'))) return true;
    await carryOut(this.#context, named, request, plan.actions);
    this.#undo.pop();
    this.#dialogue.line('Undone');
    return true;
  }
}

/** @throws whatever is no failure that a user can do something about. */
function failureText(error: unknown): string {
  if (error instanceof NonoError) return describeFailure(error).text;
  if (error instanceof SystemError && isErrno(error, ...USERS_TO_REPAIR)) return `Error: Cannot complete it: ${error.message}`;
  throw error;
}

function* withNewlines(lines: Iterable<string>): Generator<string> {
  for (const line of lines) yield `${line}\n`;
}

/** What counts as a change, without directories that are news only for what is in them. */
function itemsOf({ changes, deltas }: SessionView): Item[] {
  const byPath = new Map(deltas.map((delta) => [delta.path, delta]));
  const moved = new Set(deltas.flatMap(({ renamedFrom }) => renamedFrom?.path ?? []));
  return countedChanges(changes).flatMap((change) => {
    if (moved.has(change.path)) return [];
    const delta = byPath.get(change.path);
    const from = delta?.renamedFrom?.path;
    return [{ change, delta, paths: from === undefined ? [change.path] : [change.path, from] }];
  });
}
